"""How long the stop of services can take."""

from collections.abc import Mapping

from supervisor.config.spec import ServiceSpec
from supervisor.core.order import levels
from supervisor.core.state import Hook

AFTER_GRACE = 5.0  # seconds that a kill may take, for each step of the stop
AT_THE_STOP = (Hook.PRE_STOP, Hook.STOP_COMMAND, Hook.POST_STOP)
TO_END = 10.0  # seconds that portsup itself may take beyond its services


def stop_time(spec: ServiceSpec) -> float:
    """Seconds that portsup can take to stop this service alone, and to end."""
    return _own(spec) + TO_END


def stop_time_of_all(services: Mapping[str, ServiceSpec]) -> float:
    """Seconds for a stack: along the longest chain of dependencies each grace period, hooks included."""
    longest: dict[str, float] = {}
    for level in levels({name: tuple(spec.depends_on) for name, spec in services.items()}):
        for name in level:
            spec = services[name]
            longest[name] = max((longest[need] for need in spec.depends_on), default=0.0) + _own(spec)
    return max(longest.values(), default=0.0) + TO_END


def _own(spec: ServiceSpec) -> float:
    hooks = sum(hook.timeout for point, hook in spec.all_hooks.items() if point in AT_THE_STOP)
    return spec.stop_grace_period + AFTER_GRACE + hooks
