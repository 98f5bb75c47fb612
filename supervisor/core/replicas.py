"""Several processes of one service, each with a life of its own: what the service is as one.  Pure."""

from collections.abc import Sequence

from supervisor.core.conditions import Verdict, judge
from supervisor.core.order import Condition
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, State
from supervisor.dataclass import replace

MOST = 256  # processes of one service

# What tells most of a service that is not ready, first.
_TELLING = (
    State.BACKOFF, State.KILLING, State.TERMINATING, State.CLEANING, State.ACQUIRING, State.WAITING, State.PREPARING,
    State.STARTING, State.IDLE, State.RUNNING,
)  # fmt: skip
_AT_REST = (State.FAILED, State.EXITED, State.STOPPED)


def enough(replicas: int, min_ready: int) -> int:
    """How many of so many replicas have to be ready for the service to be; a `min_ready` of 0 stands for all."""
    return min(replicas, min_ready or replicas)


def folded(services: Sequence[Service], least: int) -> Service:
    """The service that these replicas are, under the name of the first: with the state that tells most of it.

    It is running while `least` of them are, and failed or stopped once so many cannot be without somebody's help.
    """
    if len(services) == 1:
        return services[0]
    running = [svc for svc in services if svc.state is State.RUNNING]
    at_work = [svc for svc in services if svc.state not in AT_REST]
    if len(running) >= least:
        found = running[0]
    elif len(at_work) >= least:
        found = min(at_work, key=lambda svc: _TELLING.index(svc.state))
    else:
        found = min((svc for svc in services if svc.state in AT_REST), key=lambda svc: _AT_REST.index(svc.state))
    return replace(found, name=services[0].name, restarts=sum(svc.restarts for svc in services))


def judge_all(condition: Condition, services: Sequence[tuple[Service, bool]], least: int) -> Verdict:
    """Whether a dependency of several replicas has reached `condition`: `least` of them have to, or all to complete.

    Each comes with whether it is wanted.
    """
    least = len(services) if condition in (Condition.COMPLETED, Condition.COMPLETED_OK) else least
    verdicts = [judge(condition, svc, is_wanted=is_wanted) for svc, is_wanted in services]
    if verdicts.count(Verdict.MET) >= least:
        return Verdict.MET
    return Verdict.HOPELESS if len(verdicts) - verdicts.count(Verdict.HOPELESS) < least else Verdict.NOT_YET
