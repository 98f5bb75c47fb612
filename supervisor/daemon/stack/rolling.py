"""Rolling restarts of several services: one after the other, what others depend on first."""

from collections.abc import Callable, Sequence

from supervisor.control.progress import Outcome, Progress
from supervisor.control.reply import Reply
from supervisor.core import events as ev
from supervisor.core.conditions import has_settled
from supervisor.core.faults import is_of_portsup
from supervisor.core.order import levels
from supervisor.core.service import is_rolling
from supervisor.core.state import IS_PASSING, State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import Note, telling
from supervisor.words import outcomes, refusals


def check_rolling(slots: Sequence[Slot]) -> Sequence[Slot]:
    """The same; raises PortsupError if one of them cannot be restarted without a gap, before anything is begun.

    Of several replicas those that do not run are started in their turn.
    """
    for slot in slots:
        svc = slot.service
        if svc.state is not State.RUNNING and slot.shared.running():
            continue
        if svc.state is not State.RUNNING:
            raise refusals.not_rolled_at_rest(svc)
        if svc.beside is not None:
            raise refusals.not_rolled_twice(svc)
        if svc.port is not None and slot.sockets is None:
            why = "" if slot.why_no_handoff == "off" else slot.why_no_handoff
            is_off = slot.child is not None and slot.child.handoff is None
            raise refusals.not_rolled_without_socket(svc.name, why, is_off)
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
            results.append(Outcome(wanted[name].label, False, outcomes.not_rolled_after(failed)))
            continue
        slot = wanted[name]
        ok, words = await _roll_one(stack, slot, grace, note)
        label, why = slot.label, slot.service.roll_trouble or slot.service.reason
        results.append(Outcome(label, ok, redact(words), internal_error=not ok and is_of_portsup(why)))
        if not ok:
            failed = label
        elif reply.is_closed:  # whoever wanted it has left
            return
        else:
            reply.tell(Progress(outcomes.of_service(label, results[-1].words)))
    reply.conclude(results)


async def _roll_one(stack: Stack, slot: Slot, grace: float | None, note: Note) -> tuple[bool, str]:
    await stack.until(lambda: slot.service.hook is None or slot.service.state is not State.RUNNING)  # its post_start
    before = slot.service.pid
    if not stack.is_stopping and slot.service.state is not State.RUNNING and slot.shared.running():
        return await _start(stack, slot, note)
    if stack.is_stopping or slot.service.state is not State.RUNNING:
        return False, outcomes.not_running(slot.service.state)
    slot.keeper.tell(ev.RollRequested(grace))
    with telling(stack, lambda: [slot], note):
        await stack.until(lambda: not is_rolling(slot.service) and slot.service.state not in IS_PASSING)
    svc = slot.service
    if svc.roll_trouble:
        return False, outcomes.not_replaced(svc, before)
    if svc.state is not State.RUNNING or svc.pid == before:
        return False, outcomes.not_there(svc)
    return True, outcomes.replaced(svc, before)


async def _start(stack: Stack, slot: Slot, note: Note) -> tuple[bool, str]:
    """One of several replicas does not run: it has nobody to take over from."""
    stack.start([slot.spec.name])
    with telling(stack, lambda: [slot], note):
        await stack.until(lambda: has_settled(slot.service))
    return slot.service.state is State.RUNNING, outcomes.state_of(slot.service, slot.spec)
