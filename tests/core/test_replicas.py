"""What several replicas are as one service."""

import pytest

from supervisor.core.conditions import Verdict
from supervisor.core.naming import called, parted
from supervisor.core.order import Condition
from supervisor.core.replicas import enough, folded, judge_all
from supervisor.core.service import Service
from supervisor.core.state import Milestone, Result, State

S = State


def service(number: int, state: State) -> Service:
    reached = Milestone.READY if state is S.RUNNING else Milestone.NONE
    result = Result.START_LIMIT if state is S.FAILED else Result.NONE
    name = called("api", number if number > 1 else None)
    return Service(name, state=state, reached=reached, result=result, restarts=1)


def services(*states: State) -> list[Service]:
    return [service(number, state) for number, state in enumerate(states, 1)]


@pytest.mark.parametrize(
    ("states", "least", "state"),
    [
        ([S.RUNNING], 1, S.RUNNING),
        ([S.FAILED, S.RUNNING, S.RUNNING], 2, S.RUNNING),
        ([S.RUNNING, S.BACKOFF, S.STARTING], 2, S.BACKOFF),
        ([S.RUNNING, S.STARTING, S.FAILED], 2, S.STARTING),
        ([S.RUNNING, S.STARTING, S.FAILED], 3, S.FAILED),
        ([S.RUNNING, S.STOPPED, S.RUNNING], 3, S.STOPPED),
        ([S.IDLE, S.IDLE], 2, S.IDLE),
        ([S.STOPPED, S.FAILED], 2, S.FAILED),
    ],
)
def test_the_state_is_that_of_the_one_that_tells_most(states: list[State], least: int, state: State) -> None:
    svc = folded(services(*states), least)
    assert (svc.name, svc.state, svc.restarts) == ("api", state, len(states))


@pytest.mark.parametrize(
    ("condition", "states", "least", "verdict"),
    [
        (Condition.READY, [S.RUNNING, S.STARTING], 1, Verdict.MET),
        (Condition.READY, [S.RUNNING, S.STARTING], 2, Verdict.NOT_YET),
        (Condition.READY, [S.RUNNING, S.FAILED], 2, Verdict.HOPELESS),
        (Condition.READY, [S.RUNNING, S.FAILED, S.STARTING], 2, Verdict.NOT_YET),
        (Condition.STARTED, [S.FAILED, S.FAILED], 2, Verdict.MET),
        (Condition.COMPLETED, [S.FAILED, S.RUNNING], 1, Verdict.NOT_YET),
        (Condition.COMPLETED, [S.FAILED, S.FAILED], 1, Verdict.MET),
    ],
)
def test_enough_of_them_meet_a_condition(
    condition: Condition, states: list[State], least: int, verdict: Verdict
) -> None:
    assert judge_all(condition, [(svc, True) for svc in services(*states)], least) is verdict


@pytest.mark.parametrize(("replicas", "given", "least"), [(3, 0, 3), (3, 2, 2), (1, 2, 1)])
def test_all_are_needed_unless_fewer_are_enough(replicas: int, given: int, least: int) -> None:
    assert enough(replicas, given) == least


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("api", ("api", None)), ("api.2", ("api", 2)), ("api.0", ("api.0", None)), ("web.2", ("web.2", None)),
        ("db.2", ("db.2", None)), ("api.x", ("api.x", None)), ("api.12345", ("api.12345", None)),
    ],
)  # fmt: skip
def test_a_name_may_be_that_of_a_replica(name: str, found: tuple[str, int | None]) -> None:
    assert parted(name, ["api", "db", "db.2"]) == found
