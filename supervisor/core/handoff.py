"""What becomes of a bind call that a service makes.  Pure.

A *place* is where a service listens on its port.  The socket there is the program's own, and portsup keeps a descriptor
of it, so it outlives the process: a place that an earlier process had listened on is *left over* until the present one
asks for it too.
"""

import errno
import socket
import struct
from collections.abc import Collection, Mapping
from enum import StrEnum, auto

from supervisor.dataclass import dataclass

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)
WILDCARDS = ("0.0.0.0", "::")
_MAPPED = "::ffff:"
_LENGTHS = {V4: 16, V6: 24}  # bytes of an address that the kernel wants at least: inet_bind, SIN6_LEN_RFC2133


class BindMode(StrEnum):
    """What happens to a service that binds another TCP port than its own."""

    REPORT = "report"  # it may, and is reported
    STRICT = "strict"  # it may not: EACCES
    MOVE = "move"  # the first such port becomes its own one


class Part(StrEnum):
    """Who of a process tree accepts from a socket that listens."""

    LISTENS = auto()  # whoever has it
    BOUND = auto()  # it was given at a bind, and nobody has called `listen`: haproxy need not, a placeholder never does
    STANDS_IN = auto()  # the worker alone that got it when it listened; another process has it, and has only bound it


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a family of sockets; `v6_only` tells of `::` whether it leaves IPv4 alone."""

    family: int
    address: str
    v6_only: bool = False
    scope: int = 0  # of a link-local address

    @property
    def families(self) -> frozenset[int]:
        """Those whose clients can get there."""
        if self.family == V4:
            return frozenset((V4,))
        if self.address == "::" and not self.v6_only:
            return frozenset((V4, V6))
        return frozenset((V4,)) if self.address.startswith(_MAPPED) else frozenset((V6,))

    def overlaps(self, other: "Place") -> bool:
        """Whether both cannot be listened on at once."""
        return any(
            a == b or a in WILDCARDS or b in WILDCARDS
            for family in self.families & other.families
            for a, b in ((self._in(family), other._in(family)),)
        )

    def _in(self, family: int) -> str:
        if self.family == family:
            return self.address
        return "0.0.0.0" if self.address == "::" else self.address.removeprefix(_MAPPED)


@dataclass(frozen=True, slots=True)
class Bind:
    """The call: a TCP socket wants `place` and `port`; `is_shared` with SO_REUSEPORT on, as those of an `is_worker` are
    that the present process has at the place already.

    Without `keeps_own` the system cannot bind this socket beneath the covers; without `joins` it cannot take over what
    waits for another one at its place.
    """

    place: Place
    port: int
    is_shared: bool = False
    is_worker: bool = False
    keeps_own: bool = True
    joins: bool = True


@dataclass(frozen=True, slots=True)
class LetThrough:
    """It is none of our business, except that a port other than 0 is worth a word."""

    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call fails."""

    errno: int


@dataclass(frozen=True, slots=True)
class Give:
    """The socket is bound to this place; where it `swaps`, it is replaced by ours, which has been there before.

    The sockets of `retired` places are left over and in the way: they are closed, at the latest when it listens for
    good.  Those of `doubtful` ones the present process has had: if a process still has one open, the call fails as it
    would in the kernel, with EADDRINUSE.
    """

    place: Place
    retired: tuple[Place, ...] = ()
    doubtful: tuple[Place, ...] = ()
    moved_from: int = 0
    swaps: bool = False


Decision = LetThrough | Refuse | Give


def decide(
    bind: Bind, port: int, mode: BindMode, places: Mapping[Place, bool], moved: int = 0, *, has_bound: bool = False,
    held: Collection[Place] = (), kept: Collection[Place] = (), shared: Collection[Place] = (),
    offered: Place | None = None,
) -> Decision:  # fmt: skip
    """What to answer to a service whose port is `port`.

    `places` are those that are taken, with whether the present process has asked for them; at those that are `kept` one
    of ours listens, and at those that are `shared` every socket has SO_REUSEPORT on.  `moved` is the port that `move`
    has taken for ours before, `has_bound` whether the service has bound its own port by itself.  Those `held` another
    process of the service has, which this one is to replace: they are shared, and none may overlap.  The socket of the
    place that is `offered` it has had from the start: one that knows nothing of that gets it once more.
    """
    if bind.port == 0:
        return LetThrough()
    moved_from = 0
    if bind.port != port:
        if mode is BindMode.STRICT:
            return Refuse(errno.EACCES)
        if mode is BindMode.REPORT or has_bound or moved not in (0, bind.port):
            return LetThrough(bind.port)
        moved_from = bind.port
    retired: list[Place] = []
    doubtful: list[Place] = []
    for other, is_claimed in places.items():
        if other == bind.place:
            if is_claimed and not bind.is_worker and other != offered:
                doubtful.append(other)
        elif other.overlaps(bind.place) and not (bind.is_shared and other in shared):
            if other in held and not is_claimed:
                return Refuse(errno.EADDRINUSE)
            (doubtful if is_claimed else retired).append(other)
    has_queue = bind.is_worker or bind.joins or bind.place not in kept  # of its own
    swaps = bind.place == offered or not bind.keeps_own or not has_queue
    return Give(bind.place, tuple(retired), tuple(doubtful), moved_from, swaps)


def is_for_worker(part: Part, *, has_it: bool) -> bool:
    """Whether a worker that begins to listen with a socket of its own gets this one, from which nobody may accept.

    `has_it` tells whether the one by whom it has its part has it still.
    """
    return part is Part.BOUND or (part is Part.STANDS_IN and not has_it)


def part_after_listen(part: Part, *, is_same: bool) -> Part:
    """What it is once a process calls `listen` with it; `is_same`: the one by whom it has its part."""
    return part if part is Part.STANDS_IN and is_same else Part.LISTENS


def parse_address(data: bytes, family: int) -> tuple[str, int, int] | None:
    """Address, port and scope that a bind call of a socket of this family asks for; None: let the kernel complain."""
    if family not in _LENGTHS or len(data) < _LENGTHS[family]:
        return None
    (named,) = struct.unpack_from("=H", data)
    (port,) = struct.unpack_from("!H", data, 2)
    if family == V6:
        if named != V6:
            return None
        scope = struct.unpack_from("=I", data, 24)[0] if len(data) >= 28 else 0
        address = socket.inet_ntop(socket.AF_INET6, data[8:24])
        return address, port, scope if address.startswith("fe80:") else 0
    address = socket.inet_ntop(socket.AF_INET, data[4:8])
    # AF_UNSPEC is taken for AF_INET where the address is 0.0.0.0, ip(7) and __inet_bind.
    if named != V4 and not (named == 0 and address == "0.0.0.0"):
        return None
    return address, port, 0
