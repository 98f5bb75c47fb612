"""Listens on the port given as its argument and does not care for $PORT."""

import signal
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(f"listening on {sys.argv[1]}", flush=True)
signal.pause()
