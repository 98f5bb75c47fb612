"""Who uses a TCP port of this machine, and when one of them leaves, asked of the Linux kernel: sock_diag(7).

The kernel tells whoever wants to know that a socket is gone (SKNLGRP_INET_TCP_DESTROY, linux/sock_diag.h, Linux 4.2).
A filter has it tell of one port only, and not of listeners, so nothing wakes us for the connections of others.
"""

import contextlib
import errno
import socket
import struct

from supervisor.system import netlink
from supervisor.system.contract import Connection, Departures

_NETLINK_SOCK_DIAG = 4
_GROUPS = 1 << 0 | 1 << 2  # SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY
_SO_ATTACH_FILTER, _SO_ATTACH_REUSEPORT_CBPF, _SO_DETACH_REUSEPORT_BPF = 26, 51, 68  # asm-generic/socket.h
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter, linux/filter.h
_PROGRAM = struct.Struct("@HP")  # struct sock_fprog
_LOAD_HALF, _IF_EQUAL, _RETURN = 0x28, 0x15, 0x06
_PORTS = struct.Struct("!HH")  # of an inet_diag_msg: ours and theirs
_PORTS_AT = 16 + 4  # behind its nlmsghdr and what comes before them
_WAITING = struct.Struct("=I")  # tcpi_unacked of a listening socket: how many wait in its queue
_TCP_INFO, _WAITING_AT = 11, 24
_ESTABLISHED, _SYN_RECEIVED, _FIN_WAIT_1, _FIN_WAIT_2, _CLOSE_WAIT = 1, 3, 4, 5, 8
_HALF_CLOSED = (_FIN_WAIT_1, _FIN_WAIT_2)  # by the program, which may go on reading while it has the socket
_IN_USE = (_ESTABLISHED, _SYN_RECEIVED, _CLOSE_WAIT, *_HALF_CLOSED)


def connections_on(port: int) -> list[Connection]:
    """The connections of clients to a local port that somebody may still use, in the queue of a listener too.

    Raises OSError where the kernel does not tell.
    """
    found = netlink.connections(port, sum(1 << state for state in _IN_USE))
    return [each.of for each in found if each.state not in _HALF_CLOSED or each.of.inode]


def waiting_in(listening: socket.socket) -> int:
    """How many connections wait in the queue of a listening socket; tcp(7), TCP_INFO."""
    told = listening.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _WAITING_AT + _WAITING.size)
    return int(_WAITING.unpack_from(told, _WAITING_AT)[0])


def lead_to(listening: socket.socket, place: int) -> None:
    """Have all who connect get to one socket of the group of `listening`, by its place in it.

    The last one that began to listen has the highest.  Raises OSError.
    """
    _attach(listening, _SO_ATTACH_REUSEPORT_CBPF, _INSTRUCTION.pack(_RETURN, 0, 0, place))


def lead_anywhere(listening: socket.socket) -> None:
    """Have the kernel hand out connections in the group of `listening` as it likes."""
    with contextlib.suppress(OSError):  # there is no program
        listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_REUSEPORT_BPF, 0)


def open_departures(port: int) -> Departures:
    """Tells when a connection to a local port is gone; raises OSError where the kernel does not."""
    return _Departures(port)


class _Departures(Departures):
    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_SOCK_DIAG)
        try:
            keep = (
                _INSTRUCTION.pack(_LOAD_HALF, 0, 0, _PORTS_AT),
                _INSTRUCTION.pack(_IF_EQUAL, 0, 3, port),
                _INSTRUCTION.pack(_LOAD_HALF, 0, 0, _PORTS_AT + 2),
                _INSTRUCTION.pack(_IF_EQUAL, 1, 0, 0),  # a listener, or a socket that was never connected
                _INSTRUCTION.pack(_RETURN, 0, 0, 0xFFFFFFFF),
                _INSTRUCTION.pack(_RETURN, 0, 0, 0),
            )
            _attach(self._socket, _SO_ATTACH_FILTER, b"".join(keep))
            self._socket.bind((0, _GROUPS))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> list[int]:
        left: list[int] = []
        while True:
            try:
                data = self._socket.recv(_PORTS_AT + _PORTS.size)
            except BlockingIOError:
                return left
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                left.append(0)  # more than there was room for
                continue
            left.append(_PORTS.unpack_from(data, _PORTS_AT)[1])

    def close(self) -> None:
        self._socket.close()


def _attach(sock: socket.socket, option: int, code: bytes) -> None:
    import array  # late: few need it

    instructions = array.array("B", code)
    address, _ = instructions.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, option, _PROGRAM.pack(len(code) // _INSTRUCTION.size, address))
