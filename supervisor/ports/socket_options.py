"""The options of one socket set on another: for one of ours that stands in for a program's own."""

import functools
import socket

_SOCKET, _TCP, _IP, _IPV6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6
_TIME_SIZE = 16  # bytes of a struct timeval
# What a program sets before it binds and expects of the connections that it accepts: socket(7), tcp(7), ip(7), ipv6(7).
_OPTIONS = (
    (_SOCKET, "SO_KEEPALIVE"), (_SOCKET, "SO_OOBINLINE"), (_SOCKET, "SO_PRIORITY"), (_SOCKET, "SO_MARK"),
    (_SOCKET, "SO_RCVLOWAT"), (_SOCKET, "SO_DONTROUTE"), (_SOCKET, "SO_INCOMING_CPU"), (_SOCKET, "SO_ZEROCOPY"),
    (_SOCKET, "SO_TIMESTAMP"), (_SOCKET, "SO_TIMESTAMPNS"), (_SOCKET, "SO_BUSY_POLL"),
    (_TCP, "TCP_NODELAY"), (_TCP, "TCP_KEEPIDLE"), (_TCP, "TCP_KEEPINTVL"), (_TCP, "TCP_KEEPCNT"),
    (_TCP, "TCP_DEFER_ACCEPT"), (_TCP, "TCP_USER_TIMEOUT"), (_TCP, "TCP_FASTOPEN"), (_TCP, "TCP_LINGER2"),
    (_TCP, "TCP_SYNCNT"), (_TCP, "TCP_WINDOW_CLAMP"), (_TCP, "TCP_NOTSENT_LOWAT"), (_TCP, "TCP_MAXSEG"),
    (_TCP, "TCP_QUICKACK"), (_TCP, "TCP_SAVE_SYN"), (_TCP, "TCP_INQ"),
    (_IP, "IP_TOS"), (_IP, "IP_TTL"), (_IP, "IP_MINTTL"), (_IP, "IP_TRANSPARENT"), (_IP, "IP_BIND_ADDRESS_NO_PORT"),
    (_IP, "IP_MTU_DISCOVER"), (_IP, "IP_RECVTOS"), (_IP, "IP_RECVTTL"),
    (_IPV6, "IPV6_TCLASS"), (_IPV6, "IPV6_UNICAST_HOPS"), (_IPV6, "IPV6_RECVPKTINFO"), (_IPV6, "IPV6_MTU_DISCOVER"),
)  # fmt: skip
_NAMED = (
    (_SOCKET, "SO_LINGER", 8), (_SOCKET, "SO_RCVTIMEO", _TIME_SIZE), (_SOCKET, "SO_SNDTIMEO", _TIME_SIZE),
    (_SOCKET, "SO_BINDTODEVICE", 16), (_TCP, "TCP_CONGESTION", 16),
)  # fmt: skip
_SIZES = ("SO_RCVBUF", "SO_SNDBUF")  # read back doubled, socket(7)
_NUMBERS = {  # those Python may not name: asm-generic/socket.h, linux/tcp.h, linux/in.h, linux/in6.h
    "SO_INCOMING_CPU": 49, "SO_RCVTIMEO": 20, "SO_SNDTIMEO": 21, "SO_ZEROCOPY": 60, "SO_TIMESTAMP": 29,
    "SO_TIMESTAMPNS": 35, "SO_BUSY_POLL": 46, "TCP_SAVE_SYN": 27, "TCP_INQ": 36, "TCP_CONGESTION": 13,
    "IP_FREEBIND": 15, "IP_MINTTL": 21, "IP_MTU_DISCOVER": 10, "IP_RECVTTL": 12, "IPV6_MTU_DISCOVER": 23,
}  # fmt: skip


def copy_options(source: socket.socket, target: socket.socket) -> None:
    """Set on `target` what `source` has; what this kernel does not know, or does not allow, stays as it is."""
    for level, number, size in _options(target.family):
        try:
            value = source.getsockopt(level, number, size) if size else source.getsockopt(level, number)
            same = target.getsockopt(level, number, size) if size else target.getsockopt(level, number)
            if value != same:
                target.setsockopt(level, number, value)
        except OSError:
            continue
    for name in _SIZES:
        value = source.getsockopt(_SOCKET, getattr(socket, name))
        if value != target.getsockopt(_SOCKET, getattr(socket, name)):
            target.setsockopt(_SOCKET, getattr(socket, name), value // 2)


def copy_before_bind(source: socket.socket, target: socket.socket) -> None:
    """The same, and what decides which addresses can be bound."""
    free = _NUMBERS["IP_FREEBIND"]
    if source.getsockopt(_IP, free):
        target.setsockopt(_IP, free, 1)
    copy_options(source, target)


@functools.cache
def _options(family: int) -> tuple[tuple[int, int, int], ...]:
    """Level, number, and the size of the value where it is no int, of what this system knows for a family."""
    sized = ((level, name, 0) for level, name in _OPTIONS if level != _IPV6 or family == socket.AF_INET6)
    numbers = (
        (level, getattr(socket, name, None) or _NUMBERS.get(name), size) for level, name, size in (*sized, *_NAMED)
    )
    return tuple((level, number, size) for level, number, size in numbers if number is not None)


def share(sock: socket.socket) -> None:
    """Have the kernel choose among all sockets of its group that listen, by the hash of each connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def unshare(sock: socket.socket) -> None:
    """Undoes `share`: first in the list of the kernel, it gets all who connect."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def is_shared(sock: socket.socket) -> bool:
    """Whether it is shared."""
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))
