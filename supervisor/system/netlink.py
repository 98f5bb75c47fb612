"""Which TCP sockets use a port, asked of the Linux kernel by sock_diag(7); /proc/net/tcp where that is denied."""

import contextlib
import errno
import functools
import itertools
import socket
import struct
from collections.abc import Collection, Iterator, Sequence

from supervisor.dataclass import dataclass
from supervisor.system.contract import Connection, Listener

WITHIN = 1.0  # seconds for an answer: the kernel gives it at once, what stands in for a kernel perhaps never
LISTEN = 1 << 10
# Bound, not listening and not connected; told since Linux 6.8, ignored by older kernels (include/net/tcp_states.h).
BOUND_INACTIVE = 1 << 13
EVERY_STATE = 0xFFFFFFFF

LACKING = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS))  # nothing left to look with

NETLINK_SOCK_DIAG = 4
# TCPDIAG_GETSOCK: answers with both families in one walk through the tables; by SOCK_DIAG_BY_FAMILY it takes two, of
# 1.3 ms each where bound sockets are asked for.  Linux has it wherever it has the other (net/ipv4/inet_diag.c).
_OF_BOTH_FAMILIES = 18
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3
_AT_ONCE = 1 << 15  # bytes
HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, pid
_REQUEST = struct.Struct("=52xII")  # inet_diag_req with an empty socket id: the states, and a word that nobody reads
# The steps of a program that the kernel runs on each socket (inet_diag.h): code, bytes to go on if yes and if no.
_STEP = struct.Struct("=BBH")
_PORT_OF_STEP = struct.Struct("=xxH")  # behind a comparison
_ATTRIBUTE = struct.Struct("=HH")
_BYTECODE, _JUMP, _AT_LEAST, _AT_MOST = 1, 1, 2, 3
_MOST_RANGES = 48  # of a program: the kernel checks it in a time that grows with the square of its length
_ANSWER = struct.Struct("=BBxx")  # inet_diag_msg: family, state, then the fields below at their offsets
_PORT, BOTH_PORTS = struct.Struct("!H"), struct.Struct("!HH")
PORTS_AT, UID_AT = 4, 64  # in an inet_diag_msg
_ATTRIBUTES = 72  # bytes of an inet_diag_msg, which they follow
_V6_ONLY = 11  # INET_DIAG_SKV6ONLY, told of listening sockets without being asked for
UID_INODE = struct.Struct("=II")
_is_silent = False  # whether sock_diag did not answer


def sockets(ports: Collection[int] | None, states: int, but: Collection[int] = ()) -> list[Listener]:
    """Every TCP socket of this network namespace on one of `ports` (None: on any) that is in one of `states`.

    Those with the inodes `but` are left out.  Raises OSError where no descriptor or memory is left to ask with.
    """
    if ports is not None and not ports:
        return []
    global _is_silent
    try:
        if _is_silent:
            raise TimeoutError(errno.ETIMEDOUT, "sock_diag")
        return sorted(_dump(ports, states, but), key=lambda found: found.family)  # of IPv4 first
    except OSError as error:
        if error.errno in LACKING:
            raise
        _is_silent = isinstance(error, TimeoutError)  # it is not waited for a second time
        if states == BOUND_INACTIVE:  # not in these tables
            return []
        listed = [found for found in _from_proc(ports) if found.listening or states != LISTEN]
        return [found for found in listed if found.inode not in but]


@dataclass(frozen=True, slots=True)
class Found:
    """A connection with a local port, and its state as the kernel numbers them (include/net/tcp_states.h)."""

    port: int
    of: Connection
    state: int


def connections(ports: Collection[int], states: int) -> list[Found]:
    """Every connection with one of these local ports that is in one of these states; raises OSError."""
    found = []
    for data, body, _ in _answers(ports, states):
        _, state = _ANSWER.unpack_from(data, body)
        ours, theirs = BOTH_PORTS.unpack_from(data, body + PORTS_AT)
        if ours in ports:
            found.append(Found(ours, Connection(theirs, UID_INODE.unpack_from(data, body + UID_AT)[1]), state))
    return found


def _dump(ports: Collection[int] | None, states: int, but: Collection[int]) -> Iterator[Listener]:
    for data, body, end in _answers(ports, states):
        (port,) = _PORT.unpack_from(data, body + PORTS_AT)
        if (ports is None or port in ports) and not (but and UID_INODE.unpack_from(data, body + UID_AT)[1] in but):
            yield _listener(data, body, port, end)


def _answers(ports: Collection[int] | None, states: int) -> Iterator[tuple[bytes, int, int]]:
    """Each inet_diag_msg: in which bytes, where it begins, and where its attributes end."""
    # The ports are picked out by the kernel, which saves the way of all other sockets through here.
    request = _request(frozenset(ports or ()), states)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asking:
        asking.send(request, socket.MSG_DONTWAIT)
        while True:
            data = _answer(asking)
            at = 0
            while at < len(data):
                length, kind, *_ = HEADER.unpack_from(data, at)
                if kind == _DONE:
                    return
                if kind == _ERROR or length < HEADER.size:
                    number = -struct.unpack_from("=i", data, at + HEADER.size)[0]
                    raise OSError(number, "sock_diag")
                yield data, at + HEADER.size, at + length
                at += (length + 3) & ~3


def _answer(asking: socket.socket) -> bytes:
    with contextlib.suppress(BlockingIOError):  # the kernel has answered before `send` is back
        return asking.recv(_AT_ONCE, socket.MSG_DONTWAIT)
    asking.settimeout(WITHIN)
    return asking.recv(_AT_ONCE)


@functools.lru_cache(maxsize=8)  # an idle daemon asks for the same ones again and again
def _request(ports: frozenset[int], states: int) -> bytes:
    """What asks for the sockets on these ports, on any if there are none, that are in one of these states."""
    request = _REQUEST.pack(states, 0) + (_only(_ranges(ports)) if ports else b"")
    return HEADER.pack(HEADER.size + len(request), _OF_BOTH_FAMILIES, _REQUEST_DUMP, 1, 0) + request


def _ranges(ports: Collection[int]) -> list[tuple[int, int]]:
    """The ports as ranges, first and last; with a few others where they would be too many."""
    every = sorted(set(ports))
    gaps = sorted(range(1, len(every)), key=lambda at: every[at - 1] - every[at])[: _MOST_RANGES - 1]
    cuts = [0, *sorted(at for at in gaps if every[at] - every[at - 1] > 1), len(every)]
    return [(every[first], every[end - 1]) for first, end in itertools.pairwise(cuts)]


def _only(ranges: Sequence[tuple[int, int]]) -> bytes:
    """A program that accepts the sockets with a local port in one of these ranges, which are sorted.

    The socket id of the request would not do: it is not looked at for sockets that are bound and nothing else.
    """
    program = _halves(ranges, 0)
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(program), _BYTECODE) + program


def _halves(ranges: Sequence[tuple[int, int]], behind: int) -> bytes:
    """The part of the program for these ranges, with so many bytes behind it: going to their end accepts.

    Each step halves them; what goes beyond the end is rejected.
    """
    if len(ranges) == 1:
        ((first, last),) = ranges
        end = [_JUMP, 4, 4 + behind] if behind else []
        rest = 4 * bool(behind) + behind
        at_most = _STEP.pack(_AT_MOST, 8, 12 + rest) + _PORT_OF_STEP.pack(last)
        at_least = _STEP.pack(_AT_LEAST, 8, 20 + rest) + _PORT_OF_STEP.pack(first)
        return at_least + at_most + (_STEP.pack(*end) if end else b"")
    middle = len(ranges) // 2
    upper = _halves(ranges[middle:], behind)
    lower = _halves(ranges[:middle], len(upper) + behind)
    return _STEP.pack(_AT_MOST, 8, 8 + len(lower)) + _PORT_OF_STEP.pack(ranges[middle - 1][1]) + lower + upper


def _listener(data: bytes, body: int, port: int, end: int) -> Listener:
    family, state = _ANSWER.unpack_from(data, body)
    address = data[body + 8 : body + 24]
    uid, inode = UID_INODE.unpack_from(data, body + UID_AT)
    if family == socket.AF_INET:
        address = address[:4]
    kind = socket.AddressFamily(family)
    is_v6_only = family == socket.AF_INET6 and bool(_attribute(data, body + _ATTRIBUTES, end, _V6_ONLY))
    return Listener(
        port, kind, socket.inet_ntop(kind, address), uid, inode, listening=1 << state == LISTEN, v6_only=is_v6_only
    )  # fmt: skip


def _attribute(data: bytes, at: int, end: int, wanted: int) -> int:
    """The first byte of an attribute of an answer; 0 if it has none, rtnetlink(3)."""
    while at + 4 < end:
        length, kind = struct.unpack_from("=HH", data, at)
        if kind == wanted:
            return data[at + 4]
        at += max(4, (length + 3) & ~3)
    return 0


def _from_proc(ports: Collection[int] | None) -> Iterator[Listener]:
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        lines: list[str] = []
        try:
            with open(f"/proc/net/{name}") as table:
                lines = table.readlines()[1:]
        except OSError as error:  # without IPv6 there is none for it
            if error.errno in LACKING:
                raise
        for line in lines:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if ports is None or int(port, 16) in ports:
                # Each 32-bit word of the address is printed in the byte order of the machine.
                words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
                text = socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words))
                yield Listener(int(port, 16), family, text, int(fields[7]), int(fields[9]), fields[3] == "0A")
