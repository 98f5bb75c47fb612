"""The least a command in Python can do that asks a daemon and prints its answer: ask.py SOCKET."""

import socket
import sys

with socket.socket(socket.AF_UNIX) as daemon:
    daemon.connect(sys.argv[1])
    while text := daemon.recv(65536):
        sys.stdout.buffer.write(text)
