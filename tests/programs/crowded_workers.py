"""$WORKERS processes with a `SO_REUSEPORT` socket each on $PORT, at the address that is the first argument.

Whoever connects says with its first line what it wants: `pid`; `peer`, its own address; `sum`, of what it sends until
it says no more; `flood`, 10 MB; `hold`, an answer and then nothing until it has ended; `reset`, to be reset; or `deaf`:
then the worker closes its listening socket and lives on.  With `again` as the second argument a worker that ends is
replaced.  Each worker writes its pid, a line, when it listens.  SIGTERM breaks no connection that one has accepted.
"""

import hashlib
import itertools
import os
import select
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress

ADDRESS = sys.argv[1]
SIZE = 10_000_000


def listening() -> socket.socket:
    server = socket.socket(socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if ADDRESS == "::":
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((ADDRESS, int(os.environ["PORT"])))
    server.listen(64)
    return server


def answer(connection: socket.socket, peer: str, deafens: int) -> None:
    stream = connection.makefile("rwb")
    match stream.readline().decode().strip():
        case "pid":
            stream.write(b"%d\n" % os.getpid())
        case "peer":
            stream.write(peer.encode() + b"\n")
        case "sum":
            data = stream.read()
            stream.write(f"{len(data)} {hashlib.sha256(data).hexdigest()} {os.getpid()}\n".encode())
        case "flood":
            stream.write(bytes(SIZE))
        case "hold":
            stream.write(b"%d\n" % os.getpid())
            stream.flush()
            try:
                print("held until the end" if stream.read() == b"" else "held until it spoke", flush=True)
            except ConnectionResetError:
                print("held until a reset", flush=True)
        case "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case "deaf":
            os.write(deafens, b"1")
            stream.write(b"%d\n" % os.getpid())
    with suppress(OSError):
        stream.close()
    connection.close()


def serve() -> None:
    server = listening()
    server.setblocking(False)
    is_deaf, deafens = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(deafens, b"T"))
    os.write(1, b"%d\n" % os.getpid())  # `print` may write the end of the line apart
    if ends:  # it came before
        os.write(deafens, b"T")
    threads = []
    while is_deaf not in select.select([server.fileno(), is_deaf], [], [])[0]:
        with suppress(OSError):
            connection, peer = server.accept()
            connection.setblocking(True)
            threads.append(threading.Thread(target=answer, args=(connection, peer[0], deafens)))
            threads[-1].start()
    server.close()
    while os.read(is_deaf, 1) != b"T":
        pass
    for thread in threads:
        thread.join()


def end(*_: object) -> None:
    global ends
    ends = True


ends = False
children: set[int] = set()
again = int(os.environ["WORKERS"]) if sys.argv[2:] == ["again"] else 0
for number in itertools.count():
    while len(children) < (again if number else int(os.environ["WORKERS"])) and not ends:
        if child := os.fork():
            children.add(child)
        else:
            serve()
            os._exit(0)
    signal.signal(signal.SIGTERM, end)  # its group gets the signal
    if not children:
        break
    children.discard(os.wait()[0])
