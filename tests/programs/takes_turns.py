"""Takes $TAKES seconds for a client, with $WORKERS sockets of as many processes that share $PORT if there are several.

SIGTERM ends each process between two clients, so it breaks no connection that it has accepted.  The first argument is
the address; the second may be `ring`: then it has an io_uring that nothing waits in, as libuv has.

It sleeps meanwhile, or computes if there is $COMPUTES.  Where $CLOSES_AT names a file, it does not close its sockets
before that is there.
"""

import ctypes
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
WORKERS = int(os.environ.get("WORKERS", "1"))
TAKES = float(os.environ.get("TAKES", "0.003"))
COMPUTES = "COMPUTES" in os.environ
CLOSES_AT = os.environ.get("CLOSES_AT", "")
IO_URING_SETUP = 425  # on every machine
ends = False


def end(*_: object) -> None:
    global ends
    ends = True


def answer(connection: socket.socket) -> None:
    until = time.monotonic() + TAKES
    while time.monotonic() < until:
        if not COMPUTES:
            time.sleep(TAKES)
    with connection:
        connection.sendall(b"%d\n" % os.getpid())


def serve() -> None:
    server = socket.socket(socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, WORKERS > 1)
    server.bind((ADDRESS, int(os.environ["PORT"])))
    server.listen()
    server.setblocking(False)
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGTERM, end)
    while not ends:
        select.select([server, woken], [], [])
        with suppress(BlockingIOError, ConnectionError):
            if not ends:
                connection, _ = server.accept()
                answer(connection)
    while CLOSES_AT and not os.path.exists(CLOSES_AT):
        time.sleep(0.001)


if sys.argv[2:] == ["ring"]:
    ctypes.CDLL(None).syscall(IO_URING_SETUP, 8, ctypes.create_string_buffer(120))
if WORKERS == 1:
    serve()
    sys.exit()
children = []
for _ in range(WORKERS):
    if child := os.fork():
        children.append(child)
    else:
        serve()
        os._exit(0)
signal.signal(signal.SIGTERM, end)  # its group gets the signal
for child in children:
    os.waitpid(child, 0)
