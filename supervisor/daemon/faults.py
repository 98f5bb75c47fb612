"""The errors that end an instance, in words for the person who has to act on them."""

from collections.abc import Collection

from supervisor.core import journal
from supervisor.core.port_state import PortState
from supervisor.daemon.service.slot import Slot
from supervisor.errors import LockLost, PoolExhausted, PortsupError, WaitTimedOut
from supervisor.ports.leases import Loss
from supervisor.words.reasons import texts_of


def ended_by(error: PortsupError) -> journal.Fatal:
    """What the journal keeps of an error that ends the instance."""
    known = {"what": error.what, "why": error.why, "exit_code": int(error.exit_code), "hint": error.hint}
    if isinstance(error, PoolExhausted):
        reasons = {str(port): reason for port, reason in error.reasons}
        return journal.Fatal(**known, service=error.service, reasons=reasons)  # type: ignore[arg-type]
    return journal.Fatal(**known)  # type: ignore[arg-type]


def no_port(slot: Slot, file: str, now: float) -> PoolExhausted:
    """No port of a service's pool can be used; `now` is in monotonic seconds."""
    svc = slot.service
    pool = ", ".join(str(port) for port in svc.pool)
    hint = f"stop what is in the way, or give `{svc.name}` another `pool` in {file}"
    if not is_anybody_there(slot, now):
        hint = f"it came up on none of its ports: `portsup logs {svc.name}` has all that it printed"
        if slot.why_unseen:
            hint = f"set `handoff: off` for `{svc.name}`: portsup may not look into its process ({slot.why_unseen})"
    why = f"no port of its pool can be used ({pool})"
    error = PoolExhausted(f"cannot start `{svc.name}`", texts_of(svc.failed_ports), why, hint)
    error.service = svc.name
    return error


def is_anybody_there(slot: Slot, now: float) -> bool:
    """Whether somebody else has a port of a service's pool."""
    ports = slot.lease.ports(now) if slot.lease is not None else ()
    return any(each.state is PortState.TAKEN for each in ports)


def too_late(slots: Collection[Slot], seconds: float) -> WaitTimedOut:
    """These services were not where they should be after so many seconds."""
    late = ", ".join(f"`{slot.spec.name}` is {slot.service.state}" for slot in slots)
    what = f"cannot get the stack ready within {seconds:g} s"
    return WaitTimedOut(what, late, "`portsup logs` has what the services printed")


def lock_lost(loss: Loss, owner: Slot | None, instance: int, runtime: str) -> LockLost:
    """A lock keeps others out no longer: that of a port of `owner`, or of the instance's number."""
    whose = f"port {loss.port} of `{owner.spec.name}`" if owner is not None else f"instance {instance}"
    hint = f"find out what touched {runtime}, then `portsup up` again"
    return LockLost(f"cannot go on: the lock of {whose} is lost", loss.why, hint)
