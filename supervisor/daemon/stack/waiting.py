"""Tells again and again whom somebody waits for, since when, and how long still."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping

from supervisor.annotations import Protocol
from supervisor.control.progress import Late
from supervisor.core.conditions import Verdict, has_settled, is_missing
from supervisor.core.stack import verdict_on, whole
from supervisor.core.state import State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.stack import LIVE_EVERY, NOTE_EVERY, Stack
from supervisor.dataclass import replace
from supervisor.words.waiting import sentence, waiting_for_more

LIVE_AFTER = 0.5  # seconds: what is quicker does not flicker by
MOST = 5  # services that are named at a time


class Note(Protocol):
    """Who is told; `is_note`: it is time to say it to those who do not see it all the time."""

    def __call__(self, late: list[Late], /, is_note: bool) -> None: ...


@contextlib.contextmanager
def telling(stack: Stack, late: Callable[[], Collection[Slot]], note: Note, *, is_live: bool = True) -> Iterator[None]:
    """Tells within the block who is `late`: every NOTE_EVERY seconds, or all the time if that `is_live`."""
    begun = noted = stack.loop.time()
    timer = stack.loop.call_later(LIVE_AFTER if is_live else NOTE_EVERY, lambda: tick())
    is_shown = False

    def tick() -> None:
        nonlocal timer, noted, is_shown
        now = stack.loop.time()
        is_note = now - noted > NOTE_EVERY - 0.75 * LIVE_EVERY  # the first tick came sooner
        noted = now if is_note else noted
        who = told(late(), stack.slots, now, begun)
        if who or is_shown:
            note(who, is_note=is_note)
            is_shown = is_live
        timer = stack.loop.call_later(LIVE_EVERY if is_live else NOTE_EVERY, tick)

    try:
        yield
    finally:
        timer.cancel()
        if is_shown:
            note([], is_note=False)


def unsettled(slots: Collection[Slot]) -> Callable[[], list[Slot]]:
    """Finds those that have not come as far as they will."""
    return lambda: [slot for slot in slots if not has_settled(slot.service)]


def missing(slots: Collection[Slot]) -> list[str]:
    """The names of those that a start should have brought up, and that are not there."""
    # A reload may have removed one meanwhile: it has no replicas then.
    return [slot.of for slot in slots if slot.number == 1 and slot.replicas and is_missing(whole(slot))]


async def settled(stack: Stack, slots: Collection[Slot], timeout: float | None, note: Note) -> list[Slot]:
    """Returns once they have come as far as they will; those that have not within `timeout` seconds.

    `note` is told of those that are late, as by `telling`: all the time where the stack is live.
    """
    late, maybe_late = unsettled(slots), list(slots)

    def is_over() -> bool:  # asked after each change, so it does not look at all of many slots each time
        while maybe_late and has_settled(maybe_late[-1].service):
            maybe_late.pop()
        if not maybe_late:
            maybe_late.extend(late())
        return not maybe_late

    try:
        with telling(stack, late, note, is_live=stack.is_live):
            async with asyncio.timeout(timeout):
                await stack.until(is_over)
    except TimeoutError:
        return late()
    return []


def told(late: Collection[Slot], slots: Mapping[str, Slot], now: float, begun: float = 0.0) -> list[Late]:
    """The first services that are `late`, and why.

    Those that only wait for others are left out where somebody else is late: it is that one who keeps them.  `now` and
    `begun`, when the waiting began, are in monotonic seconds.
    """
    cause = [slot for slot in late if slot.service.state is not State.WAITING] or list(late)
    found: list[Late] = []
    for slot in cause[:MOST]:
        svc = slot.service
        deadline = svc.next_deadline
        since, left = round(now - max(slot.since, begun), 1), None
        if deadline is not None:
            left = round(max(0.0, deadline - now), 1)
        found.append(Late(slot.label, sentence(replace(svc, name=slot.label), _needs(slot, slots), now), since, left))
    if len(cause) > MOST:
        found.append(Late(None, waiting_for_more(len(cause) - MOST), round(now - begun, 1) if begun else None, None))
    return found


def _needs(slot: Slot, slots: Mapping[str, Slot]) -> list[str]:
    return [
        need
        for need, condition in slot.spec.depends_on.items()
        if need in slots and verdict_on(slots[need], condition) is not Verdict.MET
    ]


def are_in(slots: Collection[Slot], states: Collection[State]) -> bool:
    """Whether all are in one of these states."""
    return all(slot.service.state in states for slot in slots)


def have_settled(slots: Collection[Slot]) -> bool:
    """Whether all have come as far as they will."""
    return all(has_settled(slot.service) for slot in slots)
