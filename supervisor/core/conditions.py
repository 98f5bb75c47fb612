"""Whether a service that others depend on has come as far as they ask."""

from enum import StrEnum

from supervisor.core.order import Condition
from supervisor.core.restart import USUAL_RESTARTS
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, Milestone, Result, State


class Verdict(StrEnum):
    """What a condition says of a dependency at one moment."""

    MET = "met"
    NOT_YET = "not-yet"
    HOPELESS = "hopeless"


_MILESTONES = {
    Condition.STARTED: Milestone.STARTED,
    Condition.LISTENING: Milestone.LISTENING,
    Condition.READY: Milestone.READY,
}


_ENDS = {
    Condition.COMPLETED: (Result.SUCCESS, Result.EXIT_CODE, Result.SIGNAL, Result.START_LIMIT),
    Condition.COMPLETED_OK: (Result.SUCCESS,),
}


def has_settled(svc: Service) -> bool:
    """Whether it has come as far as it will.

    Nobody waits without end for one that is tried without end: it has settled where others would have failed.
    """
    if svc.state is State.BACKOFF and svc.policy.is_endless:
        return svc.attempts > USUAL_RESTARTS
    return svc.state is State.RUNNING or svc.state in AT_REST


def is_at_rest(svc: Service) -> bool:
    """Whether no process of it is there or on its way."""
    return svc.state in AT_REST


def judge(condition: Condition, dependency: Service, *, is_wanted: bool = True) -> Verdict:
    """Whether `dependency` has reached `condition`, or never will unless somebody steps in.

    `started` only orders: a dependency that was tried and failed counts.  A job that did its work counts as ready.
    A stopped one that is not `is_wanted` was stopped by somebody, and does not start by itself.
    """
    has_ended = dependency.state in (State.EXITED, State.FAILED) and dependency.pid is None
    if dependency.state is State.STOPPED and not is_wanted:
        return Verdict.MET if condition is Condition.STARTED else Verdict.HOPELESS
    if condition in _ENDS:
        if has_ended and dependency.result in _ENDS[condition]:
            return Verdict.MET
        return Verdict.HOPELESS if has_ended else Verdict.NOT_YET
    if condition is Condition.STARTED and has_ended:
        return Verdict.MET
    if dependency.reached >= _MILESTONES[condition] and dependency.state in (State.STARTING, State.RUNNING):
        return Verdict.MET
    if dependency.state is State.EXITED and dependency.result is Result.SUCCESS:
        return Verdict.MET
    return Verdict.HOPELESS if has_ended else Verdict.NOT_YET
