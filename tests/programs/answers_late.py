"""Answers `question` with its pid once another client has said `answer`, and `now` at once; it speaks with many."""

import os
import socket
import threading

answer = threading.Event()


def talk(connection: socket.socket) -> None:
    with connection, connection.makefile() as lines:
        for line in lines:
            if line == "answer\n":
                answer.set()
            if line == "question\n":
                answer.wait()
            connection.sendall(b"%d\n" % os.getpid())


with socket.create_server((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))) as server:
    while True:
        threading.Thread(target=talk, args=server.accept()[:1], daemon=True).start()
