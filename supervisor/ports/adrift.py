"""Listening sockets that no process has any more, while others of their place listen: we accept who waits there.

No queue moves where these are needed.  Nobody else is to get there any more, and nobody is to be lost on the way.  In a
group of SO_REUSEPORT the kernel may choose a hidden socket as well, and then drops the packet; so for this moment none
shares the port: whoever connects gets to the first of them, see `leading`, that is not hidden.
"""

import contextlib
import errno
import os
import socket
import struct

from supervisor import system
from supervisor.files.closing import close_shared
from supervisor.ports.seat import Seat, inode_of, is_listening
from supervisor.ports.socket_options import is_shared, share, unshare

_LINGER = struct.Struct("=ii")


def pass_by(seat: Seat) -> bool:
    """Has nobody connect to the sockets adrift from now on, where somebody else listens; whether anything was to do."""
    if not seat.adrift:
        return False
    every = [sock for sock in seat.sockets() if is_listening(sock) and is_shared(sock)]
    for sock in every:
        unshare(sock)
        if inode_of(sock) not in seat.adrift and all(sock is not each for each in seat.alone):
            seat.alone.append(sock)
    shown = [sock for inode, sock in seat.adrift.items() if inode not in seat.hidden and is_listening(sock)]
    for sock in shown:
        try:
            system.hide(sock)
        except OSError:
            system.turn_away(sock)
        os.set_blocking(sock.fileno(), False)
        seat.hidden.add(inode_of(sock))
    return bool(every or shown)


def next_of(seat: Seat) -> socket.socket | None:
    """The next one who waits at a socket adrift, connected; None if there is none.

    Raises OSError where no descriptor is left.
    """
    for sock in seat.adrift.values():
        while is_listening(sock):
            try:
                client, _ = sock.accept()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                continue  # that client has gone, accept(2)
            client.setblocking(False)
            # As a new one has them: it inherits what the program has set, and its close could wait.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.pack(0, 0))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            return client
    return None


def waiting(seat: Seat) -> int:
    """How many wait at sockets adrift."""
    return sum(system.waiting_in(sock) for sock in seat.adrift.values() if is_listening(sock))


def finish(seat: Seat) -> None:
    """Closes them, and has the others share the port again; who waits there still is refused.

    A process that has only bound one goes on keeping its port by it.
    """
    for sock in seat.adrift.values():
        with contextlib.suppress(OSError):  # it is shut down
            share(sock)
            sock.shutdown(socket.SHUT_RD)
        close_shared(sock)
    for sock in seat.alone:
        with contextlib.suppress(OSError):  # it was closed
            share(sock)
    for every in (seat.adrift, seat.hidden, seat.alone):
        every.clear()


def reset(connection: socket.socket) -> None:
    """Closes a connection so that its other end learns that it was cut off, socket(7)."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.pack(1, 0))
    connection.close()
