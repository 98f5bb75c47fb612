"""Waits for the output of a starting process to match the pattern of `ready: {log: …}`, and tells what came instead."""

import asyncio

from supervisor.core import events as ev
from supervisor.core.escapes import segments
from supervisor.core.reasons import NoLineMatches, PatternTooSlow, Reason
from supervisor.core.state import Role, State
from supervisor.daemon.service.slot import Child, Slot
from supervisor.process.output import Stream
from supervisor.process.readiness import LONGEST_QUOTE, MOST_OVERRUNS, LogMatcher

TELL_EVERY = 0.1  # seconds between two looks at what the last line is
LASTS = 1.0  # seconds after which it is worth a word that a service has not said yet that it is ready


def watch_log(loop: asyncio.AbstractEventLoop, slot: Slot, child: Child, pattern: str) -> None:
    """Tells the service when a line of `child`, whole or not, matches; until then which line came last."""
    matcher = LogMatcher(pattern)
    shown = _shortened(pattern)
    timer: asyncio.TimerHandle | None = None
    overruns = 0

    def tell_last() -> None:
        nonlocal timer
        timer = None
        last = _shortened(segments(child.output.without_secrets(matcher.last).decode(errors="replace"))[-1].strip())
        if child is slot.beside:
            slot.keeper.tell(ev.ProbeFailed(child.pid, NoLineMatches(shown, last)))
        else:
            slot.keeper.tell(ev.Printed(child.pid, last))

    def look(stream: Stream, data: bytes) -> None:
        nonlocal timer, overruns
        if matcher.feed(data, stream):
            child.output.also = None
            if timer is not None:
                timer.cancel()
            slot.keeper.tell(ev.BecameReady(child.pid))
        elif matcher.overruns > overruns:
            overruns = matcher.overruns
            lasting.cancel()  # this says more
            is_given_up = overruns == MOST_OVERRUNS
            if timer is not None:
                timer.cancel()
            tell_last()
            if is_given_up:
                child.output.also = None
            slot.keeper.tell(ev.ProbeFailed(child.pid, PatternTooSlow(shown, is_given_up)))
        elif timer is None:
            timer = loop.call_later(TELL_EVERY, tell_last)

    child.output.also = look
    slot.keeper.tell(ev.Printed(child.pid, ""))
    lasting = tell_if_it_lasts(loop, slot, child, NoLineMatches(shown))


def tell_if_it_lasts(loop: asyncio.AbstractEventLoop, slot: Slot, child: Child, trouble: Reason) -> asyncio.TimerHandle:
    """Tells the service what keeps `child` from being ready, if that is still so after `LASTS`; what can be cancelled.

    What has to come from the process itself is missing at every start, for as long as that takes.
    """

    def tell() -> None:
        svc = slot.service
        is_starting = svc.state is State.STARTING and svc.pid == child.pid
        is_successor = svc.beside is not None and svc.beside.role is Role.SUCCESSOR and svc.beside.pid == child.pid
        if is_starting or is_successor:
            slot.keeper.tell(ev.ProbeFailed(child.pid, trouble))

    limit = slot.service.timeouts.ready
    return loop.call_later(min(LASTS, limit / 2) if limit else LASTS, tell)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
