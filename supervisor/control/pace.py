"""Does things in the order in which they come, in each turn of an event loop no more than fit into a while."""

from collections import deque
from collections.abc import Callable

from supervisor.annotations import Protocol

Act = Callable[[], None]


class Loop(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float: ...
    def call_soon(self, callback: Callable[[], None], /) -> object: ...


class Pace:
    """A queue of things to do, each of which takes little; `in_one_turn` is in seconds.

    What comes while there is time is done at once.  One that has more to do than fits comes again at the end of the
    queue, so that everybody has a turn.
    """

    def __init__(self, loop: Loop, in_one_turn: float) -> None:
        self._loop = loop
        self._in_one_turn = in_one_turn
        self._queue: deque[Act] = deque()
        self._spent = 0.0  # seconds, in this turn
        self._is_due = False
        self._is_at_it = False

    def do(self, act: Act) -> None:
        """Does it now, or in a later turn; raises what it raises if that is now."""
        self._queue.append(act)
        if not self._is_due:
            self._is_due = True
            self._spent = 0.0
            self._loop.call_soon(self._begin_turn)
        self._go_on()

    def clear(self) -> None:
        """Forgets what is left to do."""
        self._queue.clear()

    def _begin_turn(self) -> None:
        self._spent = 0.0
        self._is_due = bool(self._queue)
        if self._is_due:  # before anything is done that may fail: what is behind it must not wait for ever
            self._loop.call_soon(self._begin_turn)
        self._go_on()

    def _go_on(self) -> None:
        if self._is_at_it:
            return
        self._is_at_it = True
        try:
            while self._queue and self._spent < self._in_one_turn:
                begun = self._loop.time()
                try:
                    self._queue.popleft()()
                finally:
                    self._spent += self._loop.time() - begun
        finally:
            self._is_at_it = False
