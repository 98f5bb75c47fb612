"""A service that is told of several events, one after the other."""

from supervisor.core import events as ev
from supervisor.core.service import Service, step


def told(svc: Service, *events: ev.Event, now: float = 100.0) -> tuple[Service, tuple[ev.Effect, ...]]:
    """What becomes of a service, and all effects on the way."""
    effects: tuple[ev.Effect, ...] = ()
    for event in events:
        svc, more = step(svc, event, now)
        effects += more
    return svc, effects
