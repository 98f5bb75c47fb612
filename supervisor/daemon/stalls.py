"""Counts the turns of the event loop that take long, and knows what took longest in each of them.

While a turn lasts nobody else is served: no bind is answered, no client of the control socket, no crash noticed.  It
costs two looks at the clock a turn, and one at each `doing`; a loop that sleeps pays nothing.
"""

import asyncio
import contextlib
import selectors
import signal
import time
from collections.abc import Callable

from supervisor import system
from supervisor.annotations import TypeVarTuple
from supervisor.control.pace import Pace
from supervisor.core.journal import LoopStalled
from supervisor.dataclass import dataclass
from supervisor.logs.journal import Journal
from supervisor.process.signals import none_between
from supervisor.words import activities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.status import LoopStatus

STALL = 0.05  # seconds from which on a turn counts as a stall
TURN = 0.01  # seconds after which a turn is long enough for those who could go on and on
LONG = 1.0  # seconds from which on one is an event

_SOMETHING = (activities.SOMETHING, "")
_Ts = TypeVarTuple("_Ts")


@dataclass(frozen=True, slots=True)
class Stall:
    """One turn that took `seconds`, `cpu` of them on a processor; most of it went into `doing`, for `service` if any.

    Where `cpu` is much less the machine is to blame: it was busy, out of memory or asleep, or a disk was slow.
    """

    seconds: float
    cpu: float
    doing: str
    service: str = ""


class Stalls:
    """The account of one loop."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, cpu_clock: Callable[[], float] = time.thread_time
    ) -> None:
        self.count = 0
        self.longest: Stall | None = None
        self.on_long: Callable[[Stall], None] | None = None
        self._clock = clock
        self._cpu_clock = cpu_clock
        self.begun = self._since = clock()  # when the present turn began
        self._cpu = cpu_clock()
        self._doing = self._slowest = _SOMETHING
        self._slowest_took = 0.0

    def turn_begins(self) -> None:
        """Something has happened, and is being dealt with from now on."""
        self._cpu = self._cpu_clock()
        self.begun = self._since = self._clock()
        self._doing = self._slowest = _SOMETHING
        self._slowest_took = 0.0

    def begins(self, what: str, service: str) -> None:
        """This is being done from now on, until something else begins or the turn ends."""
        now = self._clock()
        self._close(now)
        self._since, self._doing = now, (what, service)

    def turn_ends(self) -> None:
        """All is dealt with."""
        now = self._clock()
        took = now - self.begun
        if self.longest is not None and took < STALL and took <= self.longest.seconds:
            return
        self._close(now)
        stall = Stall(took, self._cpu_clock() - self._cpu, *self._slowest)
        if self.longest is None or took > self.longest.seconds:
            self.longest = stall
        if took >= STALL:
            self.count += 1
        if took >= LONG and self.on_long is not None:
            self.on_long(stall)

    def told(self) -> "LoopStatus":
        """What `status` tells of the loop."""
        from supervisor.control.status import LoopStatus  # late, as all that answers requests

        longest = self.longest
        return LoopStatus(
            stalls=self.count,
            stall_from_s=STALL,
            longest_stall_s=round(longest.seconds, 4) if longest else 0.0,
            longest_stall_cpu_s=round(longest.cpu, 4) if longest else 0.0,
            longest_stall=words(longest) if longest else "",
        )

    def _close(self, now: float) -> None:
        if now - self._since > self._slowest_took:
            self._slowest_took, self._slowest = now - self._since, self._doing


def words(stall: Stall) -> str:
    """What was being done, for people."""
    return activities.for_service(stall.doing, stall.service)


def doing(loop: object, what: str, service: str = "") -> None:
    """Says what is being done from now on in this turn; nothing where the loop keeps no account."""
    stalls = getattr(loop, "stalls", None)
    if stalls is not None:
        stalls.begins(what, service)


def has_time(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this turn is young: who is flooded may do more than one thing in it, and leave enough for the others."""
    stalls = getattr(loop, "stalls", None)
    return stalls is None or loop.time() - stalls.begun < TURN


async def leave_time(loop: asyncio.AbstractEventLoop) -> None:
    """Goes on in the next turn where this one is no longer young."""
    if not has_time(loop):
        await asyncio.sleep(0)


def in_turn(loop: object, act: Callable[[], None]) -> None:
    """Does it now, or where as much was done in this turn already in one of the next, in the order in which it came."""
    pace = getattr(loop, "pace", None)
    if pace is None:
        act()
    else:
        pace.do(act)


def tell_of_long_ones(loop: object, journal: Journal) -> None:
    """Has each stall of more than a second in the journal from now on."""

    def tell(stall: Stall) -> None:
        took, cpu = round(stall.seconds, 3), round(stall.cpu, 3)
        journal.tell(LoopStalled(service=stall.service or None, doing=stall.doing, took=took, cpu=cpu))

    if isinstance(loop, DaemonLoop):
        loop.stalls.on_long = tell


class DaemonLoop(asyncio.SelectorEventLoop):
    """An event loop that keeps an account of its stalls, and a queue of what many services want to do at once."""

    def __init__(self) -> None:
        self.stalls = Stalls()
        self._handled: set[int] = set()  # signals
        super().__init__(_Selector(self.stalls))
        self.pace = Pace(self, TURN)

    def add_signal_handler(self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        """The same, and what the system refuses is the OSError that it was."""
        if system.HAS_JOBS:
            system.on_signal(self, sig, lambda: callback(*args))
            return
        try:
            super().add_signal_handler(sig, callback, *args)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
        self._handled.add(sig)

    def remove_signal_handler(self, sig: int) -> bool:
        """The same, and one that has just come is heard before."""
        if sig not in self._handled:
            return False
        self._handled.discard(sig)
        with none_between((sig,)):
            return super().remove_signal_handler(sig)

    def close(self) -> None:
        """The same, with all signals let go of at once: for each of them asyncio makes a list of all that there are."""
        if self._handled and not self.is_running():
            with none_between(self._handled):
                for number in self._handled:
                    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                    signal.signal(number, usual)
                signal.set_wakeup_fd(-1)
            self._handled.clear()
        super().close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # asyncio's trips over a loop that there was no descriptor for
            super().__del__()


class _Selector(selectors.DefaultSelector):
    """Knows when the loop sleeps: from here to here."""

    def __init__(self, stalls: Stalls) -> None:
        super().__init__()
        self._stalls = stalls

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._stalls.turn_ends()
        try:
            return super().select(timeout)
        finally:
            self._stalls.turn_begins()
