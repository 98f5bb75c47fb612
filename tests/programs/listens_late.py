"""Listens on $PORT only after the seconds given as its argument."""

import os
import signal
import socket
import sys
import time

time.sleep(float(sys.argv[1]))
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening", flush=True)
signal.pause()
