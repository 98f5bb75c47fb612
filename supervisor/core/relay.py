"""Which clients of a process that is gone portsup leads to another one itself, and what it keeps for them.  Pure.

That one sees a connection of portsup's.  So nobody is led who could be told from portsup: by the address, or by the
user, whom the kernel tells a program that asks whose a connection of its own machine is.
"""

from enum import StrEnum, auto

from supervisor.dataclass import dataclass

ROOM = 1 << 16  # bytes that were read from the one end and that the other does not take yet
MOST = 512  # connections at the same time
SHARE = 8  # of so many descriptors that we may have, one is for them; each connection has two
MOST_HELD = 64  # sockets at one place, of as many workers
AT_MOST = 2.0  # seconds for handshakes that had begun: the kernel repeats its part of one after a second


class Fate(StrEnum):
    """What becomes of a client that waits where no process is."""

    RELAYED = auto()
    GONE = auto()  # no process has its end any more, or nobody tells: nobody waits for the answer
    FAR = auto()  # of another machine, or by an address of a network
    ANOTHERS = auto()  # of another user
    LEFT = auto()  # there is no room for more, or nobody listens


def may_hold(held: int, number: int, descriptors: int) -> bool:
    """Whether one more socket of a worker can be held: so many are, and it has this number of so many descriptors."""
    return held < MOST_HELD and (descriptors < 0 or 2 * number < descriptors)


def fate_of(peer: str, here: str, user: int | None, ours: int) -> Fate:
    """Of a client with an address, which has called another one; `user` has its end, and we are `ours`."""
    if not (is_loopback(peer) and is_loopback(here)):
        return Fate.FAR
    if user is None:
        return Fate.GONE
    return Fate.RELAYED if user == ours else Fate.ANOTHERS


def is_loopback(address: str) -> bool:
    """Whether an address, as getpeername(2) tells it, is of this machine alone; also one of IPv4 written as IPv6."""
    return address == "::1" or plain(address).startswith("127.")


def plain(address: str) -> str:
    """An address of IPv4 as such where it is written as one of IPv6."""
    return address.removeprefix("::ffff:") if "." in address else address


def most_at_once(descriptors: int) -> int:
    """How many connections we have at most if we may have so many descriptors; -1 means any number."""
    return MOST if descriptors < 0 else min(MOST, descriptors // (2 * SHARE))


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a connection.

    `held` bytes were read and are not taken yet.  `has_ended`: there are no more; `is_passed_on`: the other end knows.
    """

    held: int = 0
    has_ended: bool = False
    is_passed_on: bool = False

    @property
    def room(self) -> int:
        """How many bytes to read now: none before all that were read are taken, so nobody gets far ahead."""
        return 0 if self.held or self.has_ended else ROOM

    @property
    def is_to_end(self) -> bool:
        """Whether the other end is to know now that there are no more."""
        return self.has_ended and not self.held and not self.is_passed_on


class Next(StrEnum):
    """What to do at sockets where nobody accepts."""

    GO_ON = auto()
    WAIT = auto()
    CLOSE = auto()


def what_next(waiting: int, under_way: int, now: float, until: float) -> Next:
    """After a look: so many wait in the queues still, and handshakes are under way that had begun; until a moment."""
    if waiting and now < until:
        return Next.GO_ON
    return Next.WAIT if under_way and now < until else Next.CLOSE
