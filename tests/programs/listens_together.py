"""Listens on $PORT, once as many as the second argument have bound it, and works until these listen, too.

The first argument is the folder in which they meet.  With `given` as the third one it takes the socket that it was
given, sd_listen_fds(3); with `mptcp` its own is of MPTCP where there is that, and it listens without waiting for others
to bind.  It answers every connection with its pid.
"""

import contextlib
import os
import socket
import sys
from pathlib import Path

IPPROTO_MPTCP = 262
folder, count, way = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


def meet(what: str) -> None:
    """Waits until all are as far; not by sleeping, so that it counts as one that works."""
    (folder / f"{what}.{os.environ['PORTSUP_REPLICA']}").touch()
    while len(list(folder.glob(f"{what}.*"))) < count:
        pass


if way == "given":
    server = socket.socket(fileno=3)
else:
    server = socket.socket()
    if way == "mptcp":
        with contextlib.suppress(OSError):
            server = socket.socket(proto=IPPROTO_MPTCP)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(os.environ["PORT"])))
    if way == "binds":
        meet("bound")
    server.listen()
meet("listening")
while True:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"%d\n" % os.getpid())
