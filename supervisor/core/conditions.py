"""Whether a service that others depend on has come as far as they ask."""

from collections.abc import Sequence
from enum import StrEnum

from supervisor.core.order import Condition
from supervisor.core.reasons import LostNeed, NeedsLost
from supervisor.core.restart import USUAL_RESTARTS
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, CAN_STAY, ENDED, IS_IN_TROUBLE, IS_LIVE, SERVES, Milestone, Result, State


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
    return svc.state in CAN_STAY


def is_at_rest(svc: Service) -> bool:
    """Whether no process of it is there or on its way."""
    return svc.state in AT_REST


def is_done(svc: Service) -> bool:
    """Whether it ended because its work is done; a server has none that is ever done."""
    return (svc.state, svc.result) == (State.EXITED, Result.SUCCESS) and not svc.is_server


def is_up(svc: Service) -> bool:
    """Whether it is what a start is for: it serves, or its work is done."""
    return svc.state in SERVES or is_done(svc)


def is_missing(svc: Service) -> bool:
    """Whether it should be there after a start, and is not: it failed or fails again and again, or is over already."""
    return svc.state in IS_IN_TROUBLE or (svc.state is State.EXITED and not is_done(svc))


def judge(condition: Condition, dependency: Service, *, is_wanted: bool = True) -> Verdict:
    """Whether `dependency` has reached `condition`, or never will unless somebody steps in.

    `started` only orders: a dependency that was tried and failed counts.  A `one_shot` that did its work counts as
    ready; anything else that has ended is not there for its dependants, whatever its exit code.
    A stopped one that is not `is_wanted` was stopped by somebody, and does not start by itself.
    """
    has_ended = dependency.state in ENDED and dependency.pid is None
    if dependency.state is State.STOPPED and not is_wanted:
        return Verdict.MET if condition is Condition.STARTED else Verdict.HOPELESS
    if condition in _ENDS:
        if has_ended and dependency.result in _ENDS[condition]:
            return Verdict.MET
        return Verdict.HOPELESS if has_ended else Verdict.NOT_YET
    if condition is Condition.STARTED and has_ended:
        return Verdict.MET
    if dependency.reached >= _MILESTONES[condition] and dependency.state in IS_LIVE:
        return Verdict.MET
    if dependency.one_shot and is_done(dependency):
        return Verdict.MET
    return Verdict.HOPELESS if has_ended else Verdict.NOT_YET


def why_hopeless(lost: Sequence[tuple[Condition, Service]]) -> NeedsLost:
    """Why a service does not start that needs these."""
    return NeedsLost(tuple(_lost(condition, svc) for condition, svc in lost))


def _lost(condition: Condition, svc: Service) -> LostNeed:
    if svc.state is State.STOPPED:
        return LostNeed(svc.name, "stopped")
    if svc.state is State.EXITED and condition in _MILESTONES:
        return LostNeed(svc.name, "ended", svc.reason, should_end=True, has_pool=bool(svc.pool))
    return LostNeed(svc.name, "failed")
