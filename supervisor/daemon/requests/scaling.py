"""Answers `scale`."""

from collections.abc import Awaitable, Callable, Mapping

from supervisor.control.progress import Outcome
from supervisor.control.reply import Reply
from supervisor.core.conditions import is_missing
from supervisor.core.faults import is_of_portsup
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.reload import Reloader
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import Note, telling
from supervisor.errors import PortsupError
from supervisor.words import outcomes


async def scale(
    stack: Stack, reloader: Reloader, wanted: Mapping[str, int], reply: Reply, note: Note,
    settle: Callable[[list[Slot]], Awaitable[object]], on_change: Callable[[str], None],
) -> None:  # fmt: skip
    """Gives services other numbers of replicas; `settle` waits for those that are new."""
    before = {name: len(stack.slots[name].replicas) for name in wanted}

    def leaving() -> list[Slot]:
        return [slot for slot in stack.slots.values() if slot.is_leaving and slot.of in wanted]

    try:
        with telling(stack, leaving, note):
            new = await reloader.scale(wanted)
    except PortsupError as error:
        reply.fail(error)
        return
    for name in wanted:
        on_change(name)
    await settle(new)
    results = []
    for name, count in wanted.items():
        failed = sum(is_missing(slot.service) for slot in new if slot.of == name)
        ok = not failed and len(stack.slots[name].replicas) == count
        is_ours = any(is_of_portsup(slot.service.reason) for slot in new if slot.of == name)
        words = outcomes.scaled(before[name], count, failed)
        results.append(Outcome(name, ok, words, internal_error=not ok and is_ours))
    reply.conclude(results)
