"""Listens on $PORT in a thread, ignores SIGTERM, and ends its main thread: by its state it is a zombie then."""

import ctypes
import os
import signal
import socket
import threading
import time

EXIT = {"x86_64": 60, "aarch64": 93}[os.uname().machine]  # exit(2), of a thread alone


def is_over() -> bool:
    """Whether the main thread has ended."""
    with open(f"/proc/self/task/{os.getpid()}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "Z"


def serve() -> None:
    while not is_over():
        time.sleep(0.01)
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"%d\n" % os.getpid())


signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=serve).start()
ctypes.CDLL(None).syscall(EXIT, 0)
