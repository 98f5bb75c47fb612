"""Whether a dependency has come as far as its dependants ask, row by row."""

import pytest

from supervisor.control import status
from supervisor.core.conditions import Verdict, is_done, is_missing, judge, why_hopeless
from supervisor.core.order import Condition
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, SERVES, Milestone, Result, State
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of

DB = Service("db", (8000,))
SPAWNED = replace(DB, state=State.STARTING, pid=7, reached=Milestone.STARTED)

ENDED = replace(DB, state=State.EXITED, result=Result.SUCCESS, reason="exit code 0")
SURVIVOR = replace(DB, state=State.FAILED, result=Result.TIMEOUT, pid=7)


def failed(result: Result) -> Service:
    return replace(DB, state=State.FAILED, result=result)


# A moment in the life of a dependency, and what started, listening, ready, completed and completed_ok say of it.
MOMENTS = {
    "stopped": (DB, "no no no no no"),
    "acquiring": (replace(DB, state=State.ACQUIRING), "no no no no no"),
    "waiting": (replace(DB, state=State.WAITING), "no no no no no"),
    "not spawned yet": (replace(DB, state=State.STARTING), "no no no no no"),
    "spawned": (SPAWNED, "yes no no no no"),
    "listening": (replace(SPAWNED, reached=Milestone.LISTENING), "yes yes no no no"),
    "ready": (replace(SPAWNED, state=State.RUNNING, reached=Milestone.READY), "yes yes yes no no"),
    "in backoff": (replace(DB, state=State.BACKOFF), "no no no no no"),
    "being ended": (replace(SPAWNED, state=State.TERMINATING, reached=Milestone.READY), "no no no no no"),
    "did its work": (replace(DB, state=State.EXITED, result=Result.SUCCESS, one_shot=True), "yes yes yes yes yes"),
    "ended well, and is no job": (ENDED, "yes never never yes yes"),
    "is a server that ended well": (replace(ENDED, is_server=True), "yes never never yes yes"),
    "ended badly": (failed(Result.EXIT_CODE), "yes never never yes never"),
    "was killed": (failed(Result.SIGNAL), "yes never never yes never"),
    "ended badly too often": (failed(Result.START_LIMIT), "yes never never yes never"),
    "never came up": (failed(Result.TIMEOUT), "yes never never never never"),
    "has no port": (failed(Result.NO_PORT), "yes never never never never"),
    "could not be spawned": (failed(Result.SPAWN_FAILED), "yes never never never never"),
    "survived SIGKILL": (SURVIVOR, "no no no no no"),
}
WORDS = {"no": Verdict.NOT_YET, "yes": Verdict.MET, "never": Verdict.HOPELESS}


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_each_condition_says(moment: str) -> None:
    dependency, verdicts = MOMENTS[moment]
    assert [judge(condition, dependency) for condition in Condition] == [WORDS[word] for word in verdicts.split()]


def test_a_dependant_that_does_not_start_names_the_fate_of_each_and_what_a_job_needs() -> None:
    cache = replace(DB, name="cache", state=State.STOPPED)
    lost = [(Condition.READY, ENDED), (Condition.READY, cache), (Condition.LISTENING, replace(ENDED, name="api"))]
    assert text_of(why_hopeless(lost)) == (
        "it depends on `db`, `api`, which has ended (exit code 0) and `cache`, which is stopped; if `db` and `api` "
        "should end, depend on `completed_ok`"
    )
    assert text_of(why_hopeless([(Condition.READY, replace(ENDED, pool=()))])).endswith(
        "; if `db` should end, set `one_shot: true` there, or depend on `completed_ok`"
    )
    for condition in (Condition.READY, Condition.COMPLETED_OK):
        lost = [(condition, failed(Result.EXIT_CODE))]
        assert text_of(why_hopeless(lost)) == "it depends on `db`, which failed"


@pytest.mark.parametrize(
    ("svc", "done", "missing"),
    [
        (ENDED, True, False),
        (replace(ENDED, is_server=True), False, True),
        (replace(ENDED, one_shot=True), True, False),
        (failed(Result.EXIT_CODE), False, True),
        (DB, False, False),
    ],
)
def test_only_a_server_is_missed_when_it_ended_well(svc: Service, done: bool, missing: bool) -> None:
    assert (is_done(svc), is_missing(svc)) == (done, missing)


def test_a_row_has_the_sets_of_states_that_a_service_has() -> None:
    assert {str(state) for state in SERVES} == status.SERVES
    assert {str(state) for state in AT_REST} == status.AT_REST
