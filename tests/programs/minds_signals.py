"""Listens on $PORT and ends with success, or with an error if a signal interrupts its bind or its listen."""

import os
import signal
import socket

signal.signal(signal.SIGUSR1, lambda *_: None)  # which Python installs without SA_RESTART
with socket.socket() as server:
    server.bind(("127.0.0.1", int(os.environ["PORT"])))
    server.listen()
