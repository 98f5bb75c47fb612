"""Tells every few seconds whom somebody waits for, and how long still."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping

from supervisor.core.conditions import Verdict, judge
from supervisor.core.service import Service
from supervisor.core.state import Milestone, State
from supervisor.daemon.slot import Slot
from supervisor.daemon.stack import NOTE_EVERY, Stack

SETTLED = (State.RUNNING, State.EXITED, State.FAILED, State.STOPPED)
MOST = 5  # services that are named at a time


@contextlib.contextmanager
def telling(stack: Stack, late: Callable[[], Collection[Slot]], tell: Callable[[str], None]) -> Iterator[None]:
    """Says within the block who is `late`, every NOTE_EVERY seconds."""
    timer: asyncio.TimerHandle | None = None

    def tick() -> None:
        nonlocal timer
        for line in lines(late(), stack.slots, stack.loop.time()):
            tell(line)
        timer = stack.loop.call_later(NOTE_EVERY, tick)

    timer = stack.loop.call_later(NOTE_EVERY, tick)
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


def unsettled(slots: Collection[Slot]) -> Callable[[], list[Slot]]:
    """Finds those that have not come as far as they will."""
    return lambda: [slot for slot in slots if slot.service.state not in SETTLED]


async def settled(
    stack: Stack, slots: Collection[Slot], timeout: float | None, tell: Callable[[str], None]
) -> list[Slot]:
    """Returns once they have come as far as they will; those that have not within `timeout` seconds.

    `tell` gets words about those that are late, as of `telling`.
    """
    late, maybe_late = unsettled(slots), list(slots)

    def is_over() -> bool:  # asked after each change, so it does not look at all of many slots each time
        while maybe_late and maybe_late[-1].service.state in SETTLED:
            maybe_late.pop()
        if not maybe_late:
            maybe_late.extend(late())
        return not maybe_late

    try:
        with telling(stack, late, tell):
            async with asyncio.timeout(timeout):
                await stack.until(is_over)
    except TimeoutError:
        return late()
    return []


def lines(late: Collection[Slot], slots: Mapping[str, Slot], now: float) -> list[str]:
    """A line for each of the first services that are `late`; `now` is in monotonic seconds.

    Those that only wait for others are left out where somebody else is late: it is that one who keeps them.
    """
    cause = [slot for slot in late if slot.service.state is not State.WAITING] or list(late)
    told = [words(slot.service, _needs(slot, slots), now) for slot in cause[:MOST]]
    return told if len(cause) <= MOST else [*told, f"waiting for {len(cause) - MOST} more"]


def words(svc: Service, needs: Collection[str], now: float) -> str:
    """Why one service is waited for, and how long that can last; `needs` are those that it waits for itself."""
    left = f"{max(0.0, svc.deadline - now):.0f} s" if svc.deadline is not None else ""
    match svc.state:
        case State.STARTING:
            trouble = svc.trouble
            if not trouble and svc.port is not None and svc.reached < Milestone.LISTENING:
                trouble = f"nothing listens on port {svc.port}"
            why = (
                f": {trouble}" if trouble else ", which is not done yet" if svc.one_shot else ", which is not ready yet"
            )
            return f"waiting for {svc.name}{why}" + (f" ({left} left)" if left else "")
        case State.WAITING if needs:
            return f"waiting for {svc.name}, which needs {', '.join(needs)}"
        case State.BACKOFF:
            return f"waiting for {svc.name}, which starts again" + (f" in {left}" if left else "")
        case State.TERMINATING if svc.pid is not None:
            return f"waiting for {svc.name} (pid {svc.pid}" + (f", killed in {left})" if left else ")")
        case _ if svc.pid is not None:
            return f"waiting for {svc.name} (pid {svc.pid})"
        case _:
            return f"waiting for {svc.name}"


def _needs(slot: Slot, slots: Mapping[str, Slot]) -> list[str]:
    return [
        need
        for need, condition in slot.spec.depends_on.items()
        if need in slots and judge(condition, slots[need].service) is not Verdict.MET
    ]
