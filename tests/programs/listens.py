"""Listens on $HOST:$PORT, says so, and answers every connection with its pid."""

import os
import socket

with socket.create_server((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))) as server:
    print(f"listening on {os.environ['PORT']}", flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"%d\n" % os.getpid())
