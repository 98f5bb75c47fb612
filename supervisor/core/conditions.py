"""Whether a service that others depend on has come as far as they ask."""

from enum import StrEnum

from supervisor.core.order import Condition
from supervisor.core.service import Service
from supervisor.core.state import Milestone, Result, State


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


def judge(condition: Condition, dependency: Service) -> Verdict:
    """Whether `dependency` has reached `condition`, or never will unless somebody steps in.

    `started` only orders: a dependency that was tried and failed counts.  A job that did its work counts as ready.
    """
    has_ended = dependency.state in (State.EXITED, State.FAILED) and dependency.pid is None
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
