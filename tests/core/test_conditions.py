"""Whether a dependency has come as far as its dependants ask, row by row."""

import pytest

from supervisor.core.conditions import Verdict, judge
from supervisor.core.order import Condition
from supervisor.core.service import Service
from supervisor.core.state import Milestone, Result, State
from supervisor.dataclass import replace

DB = Service("db", (8000,))
SPAWNED = replace(DB, state=State.STARTING, pid=7, reached=Milestone.STARTED)

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
    "did its work": (replace(DB, state=State.EXITED, result=Result.SUCCESS), "yes yes yes yes yes"),
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
