"""Listens on $PORT once as many as the second argument have bound it, and works until these listen, too.

The first argument is the folder in which they meet.  With `given` as the third one it takes the socket that it was
given, sd_listen_fds(3).  It answers every connection with its pid.
"""

import os
import socket
import sys
from pathlib import Path

folder, count = Path(sys.argv[1]), int(sys.argv[2])


def meet(what: str) -> None:
    """Waits until all are as far; not by sleeping, so that it counts as one that works."""
    (folder / f"{what}.{os.environ['PORTSUP_REPLICA']}").touch()
    while len(list(folder.glob(f"{what}.*"))) < count:
        pass


if sys.argv[3:] == ["given"]:
    server = socket.socket(fileno=3)
else:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(os.environ["PORT"])))
    meet("bound")
    server.listen()
meet("listening")
while True:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"%d\n" % os.getpid())
