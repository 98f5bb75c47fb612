"""Rolling restarts of several services: one after the other, what others depend on first."""

from collections.abc import Callable, Sequence

from supervisor.control.connection import Reply
from supervisor.control.progress import Outcome, Progress
from supervisor.core import events as ev
from supervisor.core.order import levels
from supervisor.core.service import is_rolling
from supervisor.core.state import IS_PASSING, State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import Note, telling
from supervisor.errors import PortsupError
from supervisor.words.reasons import text_of


def check_rolling(slots: Sequence[Slot]) -> Sequence[Slot]:
    """The same; raises PortsupError if one of them can not be restarted without a gap, before anything is begun."""
    for slot in slots:
        svc, name = slot.service, slot.spec.name
        what = f"cannot restart `{name}` rolling"
        if svc.state is not State.RUNNING:
            raise PortsupError(what, f"it is {svc.state}, not running", f"`portsup start {name}`")
        if svc.beside is not None:
            why = "a rolling restart is under way"
            if not is_rolling(svc):
                why = f"pid {svc.beside.pid}, which the last one replaced, is still alive after SIGKILL"
            raise PortsupError(what, why, f"`portsup status {name}` shows both of its processes")
        if svc.port is not None and slot.sockets is None:
            why = "two processes can share its port only where portsup keeps the socket"
            if slot.why_no_handoff not in ("", "off"):
                why += f", and {slot.why_no_handoff}"
            elif slot.child is not None and slot.child.handoff is None:
                why += ", and the handoff is off"
            else:
                why += ", and it has not bound its port"
            hint = f"`portsup restart {name}`; docs/explanation/handoff.md tells what the handoff needs"
            raise PortsupError(what, why, hint)
    return slots


async def roll(
    stack: Stack, slots: Sequence[Slot], grace: float | None, reply: Reply, redact: Callable[[str], str],
    note: Note,
) -> None:  # fmt: skip
    """Restarts them one by one; the first that does not work is the last."""
    wanted = {slot.spec.name: slot for slot in slots}
    order = [name for level in levels(stack.relations.graph()) for name in level if name in wanted]
    results: list[Outcome] = []
    failed = ""
    for name in order:
        if failed:
            words = f"not restarted, because `{failed}` was not"
            results.append(Outcome(name, False, words))
            continue
        ok, words = await _roll_one(stack, wanted[name], grace, note)
        results.append(Outcome(name, ok, redact(words)))
        if not ok:
            failed = name
        elif reply.is_closed:  # whoever wanted it has left
            return
        else:
            reply.tell(Progress(f"{name}: {results[-1].words}"))
    reply.conclude(results)


async def _roll_one(stack: Stack, slot: Slot, grace: float | None, note: Note) -> tuple[bool, str]:
    await stack.until(lambda: slot.service.hook is None or slot.service.state is not State.RUNNING)  # its post_start
    before = slot.service.pid
    if stack.is_stopping or slot.service.state is not State.RUNNING:
        return False, f"is {slot.service.state}, not running"
    slot.keeper.tell(ev.RollRequested(grace))
    with telling(stack, lambda: [slot], note):
        await stack.until(lambda: not is_rolling(slot.service) and slot.service.state not in IS_PASSING)
    svc = slot.service
    if svc.roll_trouble:
        kept = f"; pid {svc.pid} stays in service" if svc.pid == before else f"; it is {svc.state}"
        return False, f"not replaced: {text_of(svc.roll_trouble)}{kept}"
    if svc.state is not State.RUNNING or svc.pid == before:
        return False, f"is {svc.state}" + (f": {text_of(svc.reason)}" if svc.reason else "")
    place = f" on port {svc.port}" if svc.port is not None else ""
    return True, f"running{place}, pid {svc.pid} in place of pid {before}"
