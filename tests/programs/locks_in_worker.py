"""A server whose worker has a lock and much memory; it cannot run while another worker has the lock, and says so."""

import fcntl
import os
import signal
import socket
import sys

MEMORY = 600 << 20  # bytes, which the kernel takes back before the lock

lock = os.open("lock", os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("locked out", flush=True)
    sys.exit(1)
began, begins = os.pipe()
if os.fork() == 0:
    memory = bytearray(MEMORY)
    memory[::4096] = b"x" * len(memory[::4096])
    os.write(begins, b"x")
    signal.pause()
os.close(lock)
os.read(began, 1)
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
    while True:
        server.accept()[0].close()
