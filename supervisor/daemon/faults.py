"""The errors that end an instance, or keep it from answering, in words for the person who has to act on them."""

import os
from collections.abc import Collection

from supervisor.core import journal
from supervisor.core.faults import is_of_portsup
from supervisor.core.port_state import PortState
from supervisor.core.reasons import Cause, OfPortsup
from supervisor.daemon.service.slot import Slot
from supervisor.errors import InternalError, LockLost, PoolExhausted, PortsupError, WaitTimedOut, refusal
from supervisor.logs.journal import Journal
from supervisor.ports.leases import Loss
from supervisor.words import endings, refusals
from supervisor.words.failures import OURS
from supervisor.words.reasons import text_of

MOST_CALLS = 6  # that are told of an internal error


def ended_by(error: PortsupError) -> journal.Fatal:
    """What the journal keeps of an error that ends the instance."""
    known = {"what": error.what, "why": error.why, "exit_code": int(error.exit_code), "hint": error.hint}
    if isinstance(error, PoolExhausted):
        reasons = {str(port): reason for port, reason in error.reasons}
        return journal.Fatal(**known, service=error.service, reasons=reasons)  # type: ignore[arg-type]
    return journal.Fatal(**known)  # type: ignore[arg-type]


def place_of(error: BaseException) -> str:
    """Where it was raised: file, line and function, and those of the calls that led there, the last one first."""
    calls, at = list[str](), error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        calls.append(f"{os.path.basename(code.co_filename)}:{at.tb_lineno} {code.co_qualname}")
        at = at.tb_next
    return " < ".join(reversed(calls[-MOST_CALLS:]))


def of_service(service: str, error: Exception, log: Journal) -> Cause:
    """What an exception that nobody expected is as the reason of a service; the journal has it.

    What the system refuses is no error of ours.
    """
    refused = refusal(error)
    if refused is not None or isinstance(error, OSError):
        why = refused.why if refused is not None else str(error).lower()
        log.tell(journal.Refused(service=service, why=why, where=place_of(error)))
        return why
    log.tell(journal.Mistake(service=service, error=repr(error), where=place_of(error)))
    place = place_of(error).split(" < ")[0]
    return OfPortsup(log.redact(f"{type(error).__name__}: {error}"), place)


def obstacle_of(slot: Slot, error: Exception, log: Journal) -> PortsupError:
    """What has kept a service from all its ports, if no port was at fault."""
    if isinstance(error, PortsupError):
        return error
    what = refusals.not_leased(slot.spec.name)
    if (refused := refusal(error, what)) is not None:
        return refused
    why = of_service(slot.spec.name, error, log)
    return InternalError(what, text_of(why), OURS) if is_of_portsup(why) else PortsupError(what, text_of(why))


def unanswered(do: str, error: Exception, log: Journal, *, changes: bool = False) -> PortsupError:
    """The answer to a request that this has kept from being answered, or begun; the journal has it if it is our fault.

    `changes`: it may have changed something before.

    What could not be loaded is not: the system was short of something, or portsup is not installed any more.
    """
    if (lack := refusals.lack(do, error)) is not None:
        return lack
    log.tell(journal.Mistake(error=repr(error), where=place_of(error)))
    return refusals.internal_error(do, log.redact(f"{type(error).__name__}: {error}"), changes=changes)


def no_port(slot: Slot, file: str, now: float) -> PoolExhausted:
    """No port of a service's pool can be used; `now` is in monotonic seconds."""
    svc = slot.service
    is_taken = is_anybody_there(slot, now)
    hint = endings.make_way(slot.of, file) if is_taken else endings.came_up_nowhere(slot.of, slot.why_unseen)
    return endings.no_port(slot.of, svc.pool, svc.failed_ports, hint)


def is_anybody_there(slot: Slot, now: float) -> bool:
    """Whether somebody else has a port of a service's pool."""
    ports = slot.lease.ports(now) if slot.lease is not None else ()
    return any(each.state is PortState.TAKEN for each in ports)


def too_late(slots: Collection[Slot], seconds: float) -> WaitTimedOut:
    """These services were not where they should be after so many seconds."""
    return endings.too_late(((slot.label, slot.service.state) for slot in slots), seconds)


def lock_lost(loss: Loss, owner: Slot | None, instance: int, runtime: str) -> LockLost:
    """A lock keeps others out no longer: that of a port of `owner`, or of the instance's number."""
    return endings.lock_lost(loss.port, loss.why, "" if owner is None else owner.spec.name, instance, runtime)
