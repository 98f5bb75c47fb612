"""Loads what a stack needs while it runs and did not need to start: a start is quick because it comes late.

What cannot be loaded at the moment when it is needed, for want of descriptors or memory, would be missing in the middle
of something.  So it is there before: a while after a start, and before a reload changes anything.
"""

import asyncio
import contextlib
from collections.abc import Callable

from supervisor import system
from supervisor.config.spec import Probe, ServiceSpec, StackSpec

SETTLED_AFTER = 2.0  # seconds until nobody waits for us any more who waited for the stack; the desk settles before
SETTLED_AGAIN = 10.0  # seconds until that is tried again


def settle(loop: asyncio.AbstractEventLoop, spec: Callable[[], StackSpec]) -> None:
    """Loads what can wait until nobody waits for us; later, where that cannot be had now."""
    with contextlib.suppress(OSError, ImportError, MemoryError, ValueError):
        load_for(spec())
        return
    loop.call_later(SETTLED_AGAIN, settle, loop, spec)


def load_for(spec: StackSpec) -> None:
    """Loads what the services of this stack need; raises OSError, ImportError or MemoryError where that cannot be had.

    ValueError where a time zone cannot be read any more.
    """
    from asyncio import trsock

    from supervisor.core import relay  # noqa: F401

    _ = trsock.TransportSocket  # loads what asyncio has of each connection
    system.listening(())  # asks nothing, but the first look around needs what that takes
    _ = system.turn_away  # loads what the end of a service needs
    services = spec.services.values()
    if jobs := [service.schedule for service in services if service.schedule]:
        from supervisor.config.schedules import Moments
        from supervisor.daemon.automatic import schedules  # noqa: F401

        for each in jobs:
            Moments(each)
    if any(service.watch for service in services):
        from supervisor.daemon.automatic import watches  # noqa: F401
    if spec.names is not None:
        from supervisor.daemon.automatic import names  # noqa: F401
    if spec.notify is not None:
        from supervisor.daemon.automatic import notices  # noqa: F401
    if any(service.all_hooks for service in services):
        from supervisor.daemon.service import hooks  # noqa: F401
    if any(_reads(probe) for service in services for probe in _probes_of(service)):
        import http.client  # noqa: F401


def _probes_of(service: ServiceSpec) -> list[Probe]:
    check = service.healthcheck
    return [service.ready.probe, *([check.probe] if check is not None else [])]


def _reads(probe: Probe) -> bool:
    """Whether it looks into what an answer says."""
    return probe.ask is not None and bool(probe.ask.contains or probe.ask.matches)
