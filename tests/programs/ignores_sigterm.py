"""Listens on $PORT if there is one, and ignores every polite request to end."""

import os
import signal
import socket

for polite in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(polite, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) if "PORT" in os.environ else None
print("ignoring", flush=True)
while True:
    signal.pause()
