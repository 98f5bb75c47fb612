"""Listens on $PORT with SO_REUSEPORT, so that others of the same user can listen there too."""

import os
import signal
import socket

server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), reuse_port=True)
print("listening", flush=True)
signal.pause()
