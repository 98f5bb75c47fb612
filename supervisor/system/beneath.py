"""Bind a socket, or have it listen, on a port that covers hold, while they go on keeping everybody else out.  Linux.

Sockets with SO_REUSEPORT that belong to one user are not in each other's way (inet_bind_conflict in
net/ipv4/inet_connection_sock.c), so covers and service have the option on for the few microseconds of the call.  The
user is the one that fchown(2) has written on the socket (sockfs_setattr in net/socket.c, Linux 4.10).  Who may use that
makes them, for these microseconds, sockets of a user that nobody is: then there is nobody who could join.

Others (an ordinary user) let in their own programs that set SO_REUSEPORT too.  Afterwards the kernel would let these
pass without looking for conflicts, because it remembers of each port the last such bind: its user and its address
(inet_csk_update_fastreuse).  So a socket binds in passing, to an address of the other family that nobody has, and is
what is remembered from then on, unless somebody binds right after it: then again, in turn in both families.  Every
address matches the dual-stack `[::]`, and what matches is not remembered; but
the kernel does not compare a socket that has a reuseport group, not even one that was shut down and is kept for its
queue (sk_reuseport_match, reuseport_stop_listen_sock).  So where net.ipv4.tcp_migrate_req keeps it, the one in passing
listens, is shut down, and listens once more.  Elsewhere the older way is taken for `[::]`: without SO_REUSEPORT,
beneath covers that SO_REUSEADDR lets join.
"""

import contextlib
import functools
import itertools
import os
import socket
from collections.abc import Callable, Collection, Sequence

from supervisor.system.migration import moves_by_sysctl

# What a reservation binds; a wildcard bind with SO_REUSEADDR off keeps every other bind of the port out.
COVERS: tuple[tuple[socket.AddressFamily, str], ...] = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
# IPPROTO_MPTCP, linux/in.h: its options are those of a TCP socket inside, whose user fchown does not change.
MPTCP = 262
_SO_REUSEPORT = socket.SO_REUSEPORT if hasattr(socket, "SO_REUSEPORT") else 15  # asm-generic/socket.h
_IP_FREEBIND, _IPV6_FREEBIND = 15, 78  # linux/in.h, linux/in6.h: bind to an address that nobody has; needs no right
# For documentation alone, RFC 5737 and RFC 3849: no host has them.
_NOBODYS = {socket.AF_INET: ("192.0.2.1", "192.0.2.2"), socket.AF_INET6: ("2001:db8::1", "2001:db8::2")}
MOST_PASSES = 20  # against somebody who binds all the time; each lasts some microseconds


@functools.cache
def may_disown() -> bool:
    """Whether we may write another user on a socket: CAP_CHOWN in the first user namespace, chown(2)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        try:
            os.fchown(trial.fileno(), _nobody(), -1)
        except OSError:
            return False
    return True


@functools.cache
def _nobody() -> int:
    """A user that nobody is, not even another portsup's sockets."""
    return 1 << 31 | int.from_bytes(os.urandom(3)) << 4  # none that a system hands out


def keeps_own(service: socket.socket) -> bool:
    """Whether a program's own socket can be bound so; else it needs one of ours in its place.

    One that speaks MPTCP cannot be disowned, and its user's programs could join it.
    """
    return service.proto != MPTCP or not may_disown()


def can_be_joined(service: socket.socket, address: str) -> bool:
    """Whether a second socket cannot be bound to the address of a first without the kernel letting others in, too."""
    return not may_disown() and (not _can_forget(service, address) or _owner(service) != os.geteuid())


def slip_beneath(
    covers: Collection[socket.socket], beside: Collection[socket.socket], service: socket.socket, address: str,
    port: int, act: Callable[[], None], others: Collection[socket.socket] = (),
) -> bool:  # fmt: skip
    """Have `act` bind `service`, or let it listen, on an address and port that `covers` keep.

    `beside` are the sockets that listen there already, which it joins, `others` those of ours at other addresses of the
    port, which may be in the way of the one that binds in passing.  Gives whether others may have come in: of our
    user with SO_REUSEPORT, or, beneath a dual-stack address, of any user with SO_REUSEADDR.  Who only bound the port
    cannot listen on it afterwards, so it is enough to look who listens.  Raises OSError.
    """
    # It stays on: accepted sockets inherit it, and without it their TIME_WAIT would block the next bind.
    service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sockets = (*covers, *beside, service)
    if may_disown():
        _while_shared(sockets, _nobody(), act)
        return False
    is_shared = bool(beside) or bool(service.getsockopt(socket.SOL_SOCKET, _SO_REUSEPORT))
    has_one_owner = len(set(map(_owner, sockets))) == 1  # not so for a service of another user in a user namespace
    if has_one_owner and (_can_forget(service, address) or is_shared):
        wide, ours = _is_dual(service, address), _families(service, address)
        needed, order = [cover for cover in covers if cover.family in ours], _order(ours)
        # Made before anything is done that cannot be undone: there may be no descriptor left.
        with contextlib.ExitStack() as made:
            passing = made.enter_context(_passing(order[0])) if _can_forget(service, address) else None
            _while_shared((*needed, *beside, service, *others), None, act)
            if passing is not None:
                _forget((*beside, service, *others), covers, port, order, passing, is_compared=wide)
        return True
    _while_joinable(covers, act)
    return True


def _forget(
    sockets: Collection[socket.socket], covers: Collection[socket.socket], port: int,
    families: Sequence[socket.AddressFamily], passing: socket.socket, *, is_compared: bool,
) -> None:  # fmt: skip
    """Have the kernel remember what binds in passing, of one of `families` after the other; `passing` is the first."""

    def pass_by() -> None:
        with contextlib.suppress(OSError):  # one that we have not got is in its way
            _pass(passing, port, is_compared=is_compared)

    for family, following in itertools.islice(itertools.pairwise(itertools.cycle(families)), MOST_PASSES):
        # One of the covers is never shared: so nobody gets in at `[::]`, which would be remembered for good.
        needed = [cover for cover in covers if is_compared or cover.family == family]
        _while_shared((*needed, *sockets), None, pass_by)
        passing.close()
        try:
            if _is_remembered(family, port):
                return
            passing = _passing(following)
        except OSError:  # no descriptor left to look again
            return
    passing.close()


def _is_remembered(family: socket.AddressFamily, port: int) -> bool:
    """Whether the kernel remembers what has bound in passing, and nobody who has come after it or has the wildcard.

    Then such a bind is let in where that has been, and nowhere else.
    """
    return _is_let_in(family, _NOBODYS[family][0], port) and not _is_let_in(family, _NOBODYS[family][1], port)


def _is_let_in(family: socket.AddressFamily, address: str, port: int) -> bool:
    with _passing(family) as trial:
        try:
            trial.bind((address, port))
        except OSError:
            return False
    return True


def _while_shared(sockets: Collection[socket.socket], user: int | None, act: Callable[[], None]) -> None:
    before = [(sock, _owner(sock), sock.getsockopt(socket.SOL_SOCKET, _SO_REUSEPORT)) for sock in sockets]
    try:
        if user is not None:
            for sock in sockets:
                os.fchown(sock.fileno(), user, -1)
        for sock in sockets:
            sock.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
        act()
    finally:
        for sock, _, is_shared in before:
            if not is_shared:
                sock.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 0)
        if user is not None:
            for sock, owner, is_shared in before:
                # One that shares its port by itself stays nobody's, for those that join it later.
                if owner != user and not (is_shared and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)):
                    os.fchown(sock.fileno(), owner, -1)


def _owner(sock: socket.socket) -> int:
    """The user that the socket is of."""
    return os.fstat(sock.fileno()).st_uid


def _while_joinable(covers: Collection[socket.socket], act: Callable[[], None]) -> None:
    try:
        for cover in covers:
            cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        act()
    finally:
        for cover in covers:
            cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def _can_forget(service: socket.socket, address: str) -> bool:
    """Whether the kernel can be made to remember another bind than this one."""
    return not _is_dual(service, address) or moves_by_sysctl()


def _pass(passing: socket.socket, port: int, *, is_compared: bool) -> None:
    """Have the kernel remember this one; `is_compared` where its address passes for that of the service."""
    passing.bind((_NOBODYS[socket.AddressFamily(passing.family)][0], port))
    if is_compared:
        passing.listen(1)
        passing.shutdown(socket.SHUT_RD)
        passing.listen(1)


def _is_dual(service: socket.socket, address: str) -> bool:
    """Whether every address is that of the service: `[::]` of both families, or 0.0.0.0 where there is no other one."""
    if service.family == socket.AF_INET6:
        return address == "::" and not service.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return address == "0.0.0.0" and not _has_ipv6()


def _families(service: socket.socket, address: str) -> tuple[socket.AddressFamily, ...]:
    """Those in which the service is in somebody's way."""
    if _is_dual(service, address):
        return socket.AF_INET, socket.AF_INET6
    is_mapped = address.startswith("::ffff:")
    return (socket.AF_INET,) if service.family == socket.AF_INET or is_mapped else (socket.AF_INET6,)


def _order(ours: Collection[socket.AddressFamily]) -> list[socket.AddressFamily]:
    """The families in which to bind in passing: first one that the kernel does not take for the service's."""
    if len(ours) > 1 or not _has_ipv6():
        return [socket.AF_INET]
    return sorted((socket.AF_INET, socket.AF_INET6), key=lambda family: family in ours)


@functools.cache
def _has_ipv6() -> bool:
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _passing(family: socket.AddressFamily) -> socket.socket:
    """A socket that binds in passing, see above; raises OSError."""
    with contextlib.ExitStack() as undo:
        passing = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        passing.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            passing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            passing.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        else:
            passing.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        undo.pop_all()
    return passing
