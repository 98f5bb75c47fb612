"""What `portsup status` and `portsup env` tell."""

from collections.abc import Callable, Iterable, Mapping

from supervisor import system
from supervisor.config.spec import HandoffMode
from supervisor.control.progress import Outcome
from supervisor.control.status import PortStatus, ReplicaStatus, SecondProcess, ServiceStatus, StdioStatus
from supervisor.core.address import url_of
from supervisor.core.conditions import is_done
from supervisor.core.faults import is_of_portsup
from supervisor.core.reasons import Cause, facts_of
from supervisor.core.service import Service
from supervisor.core.stack import whole
from supervisor.core.state import AT_REST, IS_AT_WORK, Health, Result, State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.world import StackWorld
from supervisor.process.tree import RUN_ID
from supervisor.words import outcomes
from supervisor.words.reasons import text_of


def beside(svc: Service) -> SecondProcess | None:
    """The second process that a service has during a rolling restart, and what it does."""
    other = svc.beside
    return None if other is None or other.pid is None else SecondProcess(other.pid, str(other.role))


def row(slot: Slot, instance: int, now: float, redact: Callable[[str], str]) -> ServiceStatus:
    """What `status` tells about one service; `now` is in monotonic seconds."""
    svc = whole(slot)
    replicas = slot.replicas
    slot = next((each for each in replicas if each.service.pid == svc.pid and each.service.state is svc.state), slot)
    has_process = svc.pid is not None
    port = svc.port if svc.state not in AT_REST or has_process else None
    uptime = round(now - slot.child.spawned_at, 1) if slot.child is not None and has_process else None
    ports = slot.lease.ports(now) if slot.lease is not None else ()
    cause = svc.reason or _passing(svc)
    says = svc.told or ("reloading" if svc.reloading_since is not None else "")
    return ServiceStatus(
        name=svc.name,
        instance=instance,
        state=str(svc.state),
        reached=svc.reached.name.lower(),
        status=str(svc.status),
        health=str(_worst(each.service.health for each in replicas)),
        checks_health=slot.spec.healthcheck is not None,
        port=port,
        url=url_of(slot.host, port) if port is not None else None,
        pid=slot.child.main if slot.child is not None and has_process else svc.pid,
        uptime_s=uptime,
        restarts=svc.restarts,
        rotations=slot.rotations,
        exit_code=svc.exit_code,
        result=str(svc.result) if svc.result is not Result.NONE else None,
        pool=tuple(
            PortStatus(each.port, str(each.state), text_of(each.holder) or None, facts_of(each.holder))
            for each in ports
        ),
        handoff=_handoff(slot),
        beside=next(filter(None, (beside(each.service) for each in replicas)), None),
        status_text=redact(says) or None,
        next_run=slot.next_run or None,
        file_changes=slot.file_changes if slot.spec.watch is not None else None,
        name_url=slot.name_url or None,
        stdio=_stdio(slot),
        one_shot=svc.one_shot,
        is_done=is_done(svc),
        reason=redact(text_of(cause)),
        cause=hidden(facts_of(cause), redact),
        optional=slot.is_optional,
        needs={name: str(condition) for name, condition in slot.spec.depends_on.items()},
        replicas=tuple(_replica(each, now, redact) for each in replicas) if len(replicas) > 1 else None,
        min_ready=slot.least if len(replicas) > 1 else None,
    )


def _passing(svc: Service) -> Cause:
    """What is not as it should be, and may still come right by itself."""
    match svc.state:
        case State.STARTING:
            return svc.missing
        case State.RUNNING:
            return svc.hook_trouble
    return ""


def _stdio(slot: Slot) -> StdioStatus | None:
    if slot.spec.stdio is None:
        return None
    return StdioStatus(*slot.child.bridged) if slot.child is not None else StdioStatus(0, 0)


def _replica(slot: Slot, now: float, redact: Callable[[str], str]) -> ReplicaStatus:
    svc = slot.service
    has_process = svc.pid is not None
    return ReplicaStatus(
        name=slot.label,
        number=slot.number,
        state=str(svc.state),
        health=str(svc.health),
        pid=slot.child.main if slot.child is not None and has_process else svc.pid,
        uptime_s=round(now - slot.child.spawned_at, 1) if slot.child is not None and has_process else None,
        restarts=svc.restarts,
        exit_code=svc.exit_code,
        result=str(svc.result) if svc.result is not Result.NONE else None,
        reason=redact(text_of(svc.reason or _passing(svc))),
    )


def _worst(found: Iterable[Health]) -> Health:
    return max(found, key=(Health.NONE, Health.HEALTHY, Health.UNHEALTHY).index)


def hidden(facts: dict[str, object] | None, redact: Callable[[str], str]) -> dict[str, object] | None:
    """What a reason says, without secrets: it may quote what a program has printed."""
    return None if facts is None else {name: _hidden(value, redact) for name, value in facts.items()}


def _hidden(value: object, redact: Callable[[str], str]) -> object:
    match value:
        case str():
            return redact(value)
        case dict():
            return {name: _hidden(inner, redact) for name, inner in value.items()}
        case list():
            return [_hidden(inner, redact) for inner in value]
    return value


def _handoff(slot: Slot) -> str | None:
    if slot.child is None and not slot.why_no_handoff:
        return None
    if slot.spec.handoff is HandoffMode.SYSTEMD:
        return "systemd"
    if slot.child and slot.child.handoff:
        return system.moves_queues() or "swap"
    return slot.why_no_handoff or None


def result_of(slot: Slot, wanted: State, redact: Callable[[str], str]) -> Outcome:
    """How an order to bring a service to the state `wanted` went, for the one who gave it."""
    svc = slot.service
    ok = svc.state is wanted or (wanted is State.RUNNING and (is_done(svc) or svc.state is State.IDLE))
    ok = ok or (wanted is State.STOPPED and svc.state in AT_REST and svc.pid is None)
    words = outcomes.state_of(svc, slot.spec)
    if wanted is State.STOPPED and svc.state in IS_AT_WORK:  # somebody else started it again
        words = outcomes.RESTARTED_MEANWHILE
    return Outcome(slot.label, ok, redact(words), internal_error=not ok and is_of_portsup(svc.reason))


def environment_told(world: StackWorld, facts: Mapping[str, str], service: str | None) -> dict[str, str]:
    """What `portsup env` tells: never the run id, because the next `up` ends every process that carries it."""
    if service is None:
        told = {**world.programs.about_services(), **facts}
    else:
        slot = world.slots[service]
        port = slot.service.port or (slot.pool[0] if slot.pool else None)
        told = dict(world.programs.environment(slot, port) if slot.child is None else slot.child.environment)
    return {name: value for name, value in told.items() if name != RUN_ID}
