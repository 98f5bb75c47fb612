"""Whose the other end of a TCP connection of this machine is, asked of the Linux kernel: sock_diag(7)."""

import contextlib
import errno
import functools
import os
import socket
import struct

from supervisor.system.netlink import WITHIN

_NETLINK_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1  # linux/sock_diag.h, linux/netlink.h
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, pid
_QUESTION = struct.Struct("=BBxxI")  # inet_diag_req_v2: family, protocol, states; the socket that is meant follows
_SOCKET = struct.Struct("!HH16s16s4x")  # inet_diag_sockid: both ports and addresses
_ANY_COOKIE = b"\xff" * 8  # INET_DIAG_NOCOOKIE
_EVERY_STATE = 0xFFFFFFFF
_PORTS, _UID_INODE = struct.Struct("!HH"), struct.Struct("=II")
_PORTS_AT, _UID_AT = 4, 64  # in an inet_diag_msg


def user_of_peer(connection: socket.socket) -> int | None:
    """The user whose the socket at the other end of a connection is, if that is on this machine and a process has it.

    None where it is elsewhere, no process has it any more, or the kernel does not tell: its number in our user
    namespace may stand for everybody who has none there, user_namespaces(7).
    """
    with contextlib.suppress(OSError):
        theirs, ours = connection.getpeername()[:2], connection.getsockname()[:2]
        family, peer = _packed(theirs[0])
        _, here = _packed(ours[0])
        told = _ask(family, _SOCKET.pack(theirs[1], ours[1], peer, here) + _ANY_COOKIE)
        uid, inode = _UID_INODE.unpack_from(told, _HEADER.size + _UID_AT)
        is_it = _PORTS.unpack_from(told, _HEADER.size + _PORTS_AT) == (theirs[1], ours[1])  # else one that listens
        if is_it and inode and uid != _nobodys():
            return int(uid)
    return None


def _packed(address: str) -> tuple[int, bytes]:
    """The family by which the kernel looks for it, and its bytes: IPv4 also where it is written as IPv6."""
    plain = address.removeprefix("::ffff:")
    family = socket.AF_INET if "." in plain else socket.AF_INET6
    return family, socket.inet_pton(family, plain.partition("%")[0])


def _ask(family: int, meant: bytes) -> bytes:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as asking:
        asking.settimeout(WITHIN)
        question = _QUESTION.pack(family, socket.IPPROTO_TCP, _EVERY_STATE) + meant
        asking.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 1, 0) + question)
        told = asking.recv(1 << 12)
    if _HEADER.unpack_from(told)[1] != _BY_FAMILY or len(told) < _HEADER.size + _UID_AT + _UID_INODE.size:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    return told


@functools.cache
def _nobodys() -> int | None:
    """The number of all users that have none in our user namespace; None where each has one."""
    try:
        with open("/proc/self/uid_map") as file:
            if any(int(line.split()[2]) >= (1 << 32) - 1 for line in file):
                return None
        with open("/proc/sys/kernel/overflowuid") as file:
            return int(file.read())
    except (OSError, ValueError, IndexError):  # no /proc: then nobody is told of
        return os.geteuid()
