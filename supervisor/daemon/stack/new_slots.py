"""Makes what the daemon holds for services that were never started."""

from collections.abc import Collection, Iterator, Sequence

from supervisor.annotations import Any
from supervisor.config.selection import starts_by_itself
from supervisor.config.spec import ProbeKind, ServiceSpec, StackSpec, Start
from supervisor.core.instance import ports_of
from supervisor.core.naming import replica_name
from supervisor.core.service import Service
from supervisor.core.service.snapshot import NO_HOOKS, Timeouts
from supervisor.daemon.instance import Instance
from supervisor.daemon.service.keeper import Keeper, World
from supervisor.daemon.service.slot import Shared, Slot
from supervisor.dataclass import replace
from supervisor.logs.files import log_name
from supervisor.logs.service_log import ServiceLog


def settings(spec: ServiceSpec, pool: Sequence[int]) -> dict[str, Any]:
    """The fields of a `Service` that its configuration decides."""
    has_cost = bool(spec.memory_cost or spec.gpu_memory_cost)
    return {
        "pool": tuple(pool),
        "policy": spec.restart_policy,
        "timeouts": Timeouts(
            spec.ready.timeout,
            spec.stop_grace_period,
            watchdog=spec.watchdog,
            clients=spec.start_timeout,
            idle=spec.idle_stop,
            min_up=spec.idle_min_up,
        ),
        "rotate_after": spec.rotate_after,
        "unhealthy_after": 1 if spec.healthcheck is None else spec.healthcheck.retries,
        "is_ready_by_listening": bool(pool) and spec.ready.probe.kind is ProbeKind.LISTENING,
        "one_shot": spec.one_shot,
        "on_connect": spec.start is Start.ON_CONNECT,
        "can_make_room": has_cost and spec.waits_for_clients and spec.replicas == 1,
        "is_scheduled": spec.schedule is not None,
        "is_server": not spec.one_shot and (bool(pool) or spec.ready.probe.kind is not ProbeKind.STARTED),
        "success_codes": spec.success_exit_codes,
        "hooks": {hook: each.timeout for hook, each in spec.all_hooks.items()} or NO_HOOKS,
    }


def new_slots(
    stack: StackSpec, name: str, instance: Instance, world: World, profiles: Collection[str]
) -> Iterator[tuple[str, Slot]]:
    """The slots of a service of a stack that was never started, one a replica, by their names."""
    spec = stack.services[name]
    shared = Shared(name)
    for number in range(1, spec.replicas + 1):
        slot = new_slot(stack, name, instance, world, profiles, shared, number)
        yield slot.spec.name, slot


def new_slot(
    stack: StackSpec, name: str, instance: Instance, world: World, profiles: Collection[str], shared: Shared,
    number: int,
) -> Slot:  # fmt: skip
    """One more replica of a service, whose others are in `shared`."""
    spec = stack.services[name]
    own = spec_of(spec, number)
    pool = ports_of(spec.pool, instance.number, stack.stride)
    keeper = Keeper(Service(own.name, **settings(spec, pool)), world, instance.loop)
    log = ServiceLog(str(instance.state_dir / log_name(name, number)), spec.logging)
    return Slot(own, tuple(pool), keeper, log, number, shared, is_optional=not starts_by_itself(spec, profiles))


def spec_of(spec: ServiceSpec, number: int) -> ServiceSpec:
    """What holds for one replica of a service."""
    return spec if number == 1 else replace(spec, name=replica_name(spec.name, number))
