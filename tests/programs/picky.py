"""Listens on $PORT, but exits with code 1 when that is the port given as its argument."""

import os
import signal
import socket
import sys

port = int(os.environ["PORT"])
if port == int(sys.argv[1]):
    os.write(2, b"not here\n")
    os._exit(1)
server = socket.create_server(("127.0.0.1", port))
print(f"listening on {port}", flush=True)
signal.pause()
