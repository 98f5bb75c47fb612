"""Listens on $PORT without SO_REUSEADDR, and answers every connection with its pid: these linger when it has ended."""

import os
import socket

server = socket.socket()
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
while True:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"%d\n" % os.getpid())
