"""Who uses a TCP port of this machine, and when one of them leaves, asked of the Linux kernel: sock_diag(7).

The kernel tells whoever wants to know that a socket is gone (SKNLGRP_INET_TCP_DESTROY, linux/sock_diag.h, Linux 4.2).
A filter has it tell of one port only, and not of listeners, so nothing wakes us for the connections of others.
"""

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable, Collection

from supervisor.system import netlink
from supervisor.system.contract import Connection, Departures

_GROUPS = 1 << 0 | 1 << 2  # SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY
# asm-generic/socket.h
_SO_ATTACH_FILTER, _SO_DETACH_FILTER, _SO_ATTACH_REUSEPORT_CBPF, _SO_DETACH_REUSEPORT_BPF = 26, 27, 51, 68
_SO_BINDTOIFINDEX, _NO_INTERFACE = 62, 0x7FFFFFFF  # no machine has had so many
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter, linux/filter.h
_PROGRAM = struct.Struct("@HP")  # struct sock_fprog
_LOAD_BYTE, _LOAD_HALF, _AND, _IF_EQUAL, _RETURN = 0x30, 0x28, 0x54, 0x15, 0x06
_FLAGS_AT, _SYN, _ACK = 13, 0x02, 0x10  # of a TCP header, where a socket's filter begins; RFC 9293
_EVERYTHING = 0xFFFFFFFF
_NO_FIRST_PACKETS = b"".join((
    _INSTRUCTION.pack(_LOAD_BYTE, 0, 0, _FLAGS_AT),
    _INSTRUCTION.pack(_AND, 0, 0, _SYN | _ACK),
    _INSTRUCTION.pack(_IF_EQUAL, 0, 1, _SYN),
    _INSTRUCTION.pack(_RETURN, 0, 0, 0),
    _INSTRUCTION.pack(_RETURN, 0, 0, _EVERYTHING),
))  # fmt: skip
_MOST_INSTRUCTIONS = 4096  # BPF_MAXINSNS, linux/bpf_common.h
_PORTS = netlink.BOTH_PORTS  # of an inet_diag_msg: ours and theirs
_PORTS_AT = netlink.HEADER.size + netlink.PORTS_AT
# struct tcp_info, linux/tcp.h; of a listening socket tcpi_unacked and tcpi_sacked tell of its queue.
_TCP_INFO, _WAITING_AT, _ROOM_AT = 11, 24, 28
_NUMBER = struct.Struct("=I")
_IP_MINTTL, _IPV6_MINHOPCOUNT, _MOST_HOPS = 21, 73, 255  # linux/in.h, linux/in6.h
_ESTABLISHED, _SYN_RECEIVED, _FIN_WAIT_1, _FIN_WAIT_2, _CLOSE_WAIT = 1, 3, 4, 5, 8
_HALF_CLOSED = (_FIN_WAIT_1, _FIN_WAIT_2)  # by the program, which may go on reading while it has the socket
_IN_USE = (_ESTABLISHED, _SYN_RECEIVED, _CLOSE_WAIT, *_HALF_CLOSED)


def connections_on(port: int) -> list[Connection]:
    """The connections of clients to a local port that somebody may still use, in the queue of a listener too.

    Raises OSError where the kernel does not tell.
    """
    found = netlink.connections((port,), sum(1 << state for state in _IN_USE))
    return [each.of for each in found if each.state not in _HALF_CLOSED or each.of.inode]


def handshakes_on(ports: Collection[int]) -> dict[int, set[int]]:
    """The ports of clients that have begun to connect to local ports, by these, and wait in no queue yet.

    Also of clients on this machine: a busy one leaves their packets for a while, and a full queue has them wait.
    Raises OSError.
    """
    under_way: dict[int, set[int]] = {}
    for found in netlink.connections(ports, 1 << _SYN_RECEIVED):
        under_way.setdefault(found.port, set()).add(found.of.peer_port)
    return under_way


def waiting_in(listening: socket.socket) -> int:
    """How many connections wait in the queue of a listening socket; tcp(7), TCP_INFO."""
    return _number_of(listening, _WAITING_AT)


def lead_to(listening: socket.socket, place: int) -> None:
    """Have all who connect get to one socket of the group of `listening`, by its place in it.

    The last one that began to listen has the highest.  Raises OSError.
    """
    _attach(listening, _SO_ATTACH_REUSEPORT_CBPF, _INSTRUCTION.pack(_RETURN, 0, 0, place))


def lead_anywhere(listening: socket.socket) -> None:
    """Have the kernel hand out connections in the group of `listening` as it likes."""
    with contextlib.suppress(OSError):  # there is no program
        listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_REUSEPORT_BPF, 0)


def hide(listening: socket.socket) -> Callable[[socket.socket], None]:
    """Have whoever connects to a listening socket from now on be refused; gives what undoes it.

    The kernel passes over a listener of another interface than a packet has come by (compute_score in
    net/ipv4/inet_hashtables.c).  Who waits in the queue is not affected, nor who has begun a handshake.  In a group it
    chooses among all as long as one is not hidden.  Only root can undo it: CAP_NET_RAW.  Raises OSError where the
    program has chosen an interface itself, and for an ordinary user before Linux 5.7.
    """
    if listening.getsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    listening.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, _NO_INTERFACE)
    return _show


def _show(listening: socket.socket) -> None:
    with contextlib.suppress(PermissionError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, 0)


def turn_away(listening: socket.socket, *, is_idle: bool = False) -> Callable[[socket.socket], None]:
    """Have nobody begin to connect to a listening socket from now on; gives what undoes it, by any descriptor of it.

    `is_idle`: no handshake with it is under way.

    The kernel drops each first packet, and the client sends it again after a second: then it is refused, or somebody
    listens again.  Who waits in the queue is not affected, nor who has begun a handshake: connections inherit the
    filter, and never get such a packet.  Where the program has a filter of its own, or an ordinary user may set none on
    TCP (so on Linux 6.18), packets are demanded that no host has sent on, and none come: a connection inherits that as
    well and would be deaf, so where a handshake is under way the queue gets no room instead, and a client still gets in
    whenever it is empty.
    """
    with contextlib.suppress(OSError):
        _drop_first_packets(listening)
        return _let_first_packets_in
    levels, length = _hop_levels(listening), _number_of(listening, _ROOM_AT)
    if not any(listening.getsockopt(*each) for each in levels) and (is_idle or not _is_met(listening)):
        with contextlib.suppress(OSError):
            _demand(levels, listening, _MOST_HOPS)
            if is_idle or not _is_met(listening):  # somebody may have come in between
                return lambda sock: _demand(levels, sock, 0)
        with contextlib.suppress(OSError):
            _demand(levels, listening, 0)
    listening.listen(0)
    return lambda sock: sock.listen(length)


def _let_first_packets_in(listening: socket.socket) -> None:
    listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def _demand(levels: Collection[tuple[int, int]], listening: socket.socket, hops: int) -> None:
    for level, option in levels:
        listening.setsockopt(level, option, hops)


def open_departures(port: int) -> Departures:
    """Tells when a connection to a local port is gone; raises OSError where the kernel does not."""
    return _Departures(port)


class _Departures(Departures):
    def __init__(self, port: int) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, netlink.NETLINK_SOCK_DIAG)
        try:
            keep = (
                _INSTRUCTION.pack(_LOAD_HALF, 0, 0, _PORTS_AT),
                _INSTRUCTION.pack(_IF_EQUAL, 0, 3, port),
                _INSTRUCTION.pack(_LOAD_HALF, 0, 0, _PORTS_AT + 2),
                _INSTRUCTION.pack(_IF_EQUAL, 1, 0, 0),  # a listener, or a socket that was never connected
                _INSTRUCTION.pack(_RETURN, 0, 0, _EVERYTHING),
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


def _hop_levels(listening: socket.socket) -> list[tuple[int, int]]:
    """The options that say how many hops a packet must have left; a socket of IPv6 may serve IPv4 as well."""
    of_ipv6 = [(socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT)] if listening.family == socket.AF_INET6 else []
    return [(socket.IPPROTO_IP, _IP_MINTTL), *of_ipv6]


def _is_met(listening: socket.socket) -> bool:
    """Whether a handshake is under way: with it, or with another socket on its port."""
    return bool(handshakes_on((listening.getsockname()[1],)))


def _number_of(listening: socket.socket, at: int) -> int:
    told = listening.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, at + _NUMBER.size)
    return int(_NUMBER.unpack_from(told, at)[0])


def _drop_first_packets(listening: socket.socket) -> None:
    """Raises OSError where that cannot be, or the program has a filter."""
    from supervisor.system import libc  # late: ctypes is heavy

    if libc.count_of_filter(listening.fileno(), _MOST_INSTRUCTIONS):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    _attach(listening, _SO_ATTACH_FILTER, _NO_FIRST_PACKETS)


def _attach(sock: socket.socket, option: int, code: bytes) -> None:
    import array  # late: few need it

    instructions = array.array("B", code)
    address, _ = instructions.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, option, _PROGRAM.pack(len(code) // _INSTRUCTION.size, address))
