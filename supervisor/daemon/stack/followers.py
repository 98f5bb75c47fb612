"""Restarts services after what they depend on, where they ask for that, and where that has another port."""

from collections.abc import Mapping

from supervisor.core import events as ev
from supervisor.core.conditions import is_done
from supervisor.core.order import to_restart
from supervisor.core.state import AT_REST, IS_LIVE, State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.relations import Relations

RESTING = AT_REST | {State.RUNNING}


def restart_followers(slots: Mapping[str, Slot], relations: Relations) -> None:
    """Restarts those whose dependency has another process than they knew, in the order of the dependencies."""
    changed: dict[str, list[str]] = {}
    for name in relations.followers():
        slot = slots[name]
        if slot.service.state in IS_LIVE:  # what is stopped stays so, and what is about to start sees the new process
            changed[name] = [need for need in slot.spec.restarts_with if _has_restarted(slot, slots.get(need))]
    if not any(changed.values()):
        return
    passing = [name for name, slot in slots.items() if slot.service.state not in RESTING]
    for name in to_restart(relations.graph(), changed, passing):
        names = " and ".join(f"`{need}`" for need in sorted(changed[name]))
        verb = "was" if len(changed[name]) == 1 else "were"
        slots[name].keeper.tell(ev.RestartRequested(f"{names} {verb} restarted"))


def tell_of_ports(slot: Slot, slots: Mapping[str, Slot]) -> None:
    """Restarts or signals a service that was told of another port of a dependency than the one it has now."""
    child = slot.child
    if child is None or slot.service.state not in IS_LIVE:
        return
    moved = [
        need
        for need in slot.spec.depends_on
        if need in slots
        and slots[need].service.state is State.RUNNING
        and child.seen_ports.get(need) != slots[need].service.port
    ]
    if not moved:
        return
    child.seen_ports = {**child.seen_ports, **{need: slots[need].service.port or 0 for need in moved}}
    match slot.spec.on_port_change.action:
        case "restart":
            names = " and ".join(f"`{need}`" for need in moved)
            slot.keeper.tell(ev.RestartRequested(f"{names} moved to another port"))
        case "signal":
            slot.send_signal(slot.spec.on_port_change.signal)


def _has_restarted(slot: Slot, other: Slot | None) -> bool:
    """Whether `other` is up, or done, with another process than there was when that of `slot` was spawned."""
    if other is None or not (other.service.state is State.RUNNING or is_done(other.service)):
        return False
    return other.starts != slot.seen_starts.get(other.spec.name, other.starts)
