"""Whose the other end of a TCP connection of this machine is, asked of the Linux kernel: sock_diag(7)."""

import contextlib
import errno
import functools
import os
import socket
import struct

from supervisor.system.netlink import (
    BOTH_PORTS,
    EVERY_STATE,
    HEADER,
    NETLINK_SOCK_DIAG,
    PORTS_AT,
    UID_AT,
    UID_INODE,
    WITHIN,
)

_BY_FAMILY, _REQUEST = 20, 1  # linux/sock_diag.h, linux/netlink.h
_QUESTION = struct.Struct("=BBxxI")  # inet_diag_req_v2: family, protocol, states; the socket that is meant follows
_SOCKET = struct.Struct("!HH16s16s4x")  # inet_diag_sockid: both ports and addresses
_ANY_COOKIE = b"\xff" * 8  # INET_DIAG_NOCOOKIE


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
        uid, inode = UID_INODE.unpack_from(told, HEADER.size + UID_AT)
        is_it = BOTH_PORTS.unpack_from(told, HEADER.size + PORTS_AT) == (theirs[1], ours[1])  # else one that listens
        if is_it and inode and uid != _nobodys():
            return int(uid)
    return None


def _packed(address: str) -> tuple[int, bytes]:
    """The family by which the kernel looks for it, and its bytes: IPv4 also where it is written as IPv6."""
    plain = address.removeprefix("::ffff:")
    family = socket.AF_INET if "." in plain else socket.AF_INET6
    return family, socket.inet_pton(family, plain.partition("%")[0])


def _ask(family: int, meant: bytes) -> bytes:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as asking:
        asking.settimeout(WITHIN)
        question = _QUESTION.pack(family, socket.IPPROTO_TCP, EVERY_STATE) + meant
        asking.send(HEADER.pack(HEADER.size + len(question), _BY_FAMILY, _REQUEST, 1, 0) + question)
        told = asking.recv(1 << 12)
    if HEADER.unpack_from(told)[1] != _BY_FAMILY or len(told) < HEADER.size + UID_AT + UID_INODE.size:
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
