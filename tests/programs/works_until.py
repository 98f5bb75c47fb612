"""Accepts on $PORT and closes at once; from its first client on it is busy until there is a file `rest`."""

import os
import socket
import threading
from pathlib import Path


def work() -> None:
    print(f"busy {os.getpid()}", flush=True)
    while not Path("rest").exists():
        sum(range(20000))


with socket.create_server((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))) as server:
    worker = threading.Thread(target=work, daemon=True)
    while True:
        server.accept()[0].close()
        if not worker.is_alive():
            worker.start()
