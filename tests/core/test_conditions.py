"""What a condition says of a dependency in each stage of its life."""

from dataclasses import replace

import pytest

from supervisor.core.conditions import Verdict, judge
from supervisor.core.order import Condition
from supervisor.core.service import Service
from supervisor.core.state import Milestone, Result, State

DB = Service("db", (8000,))
MET, NOT_YET, HOPELESS = Verdict.MET, Verdict.NOT_YET, Verdict.HOPELESS
STAGES = {
    "waiting": replace(DB, state=State.WAITING),
    "spawned": replace(DB, state=State.STARTING, reached=Milestone.STARTED),
    "listening": replace(DB, state=State.STARTING, reached=Milestone.LISTENING),
    "running": replace(DB, state=State.RUNNING, reached=Milestone.READY),
    "in backoff": replace(DB, state=State.BACKOFF),
    "done": replace(DB, state=State.EXITED, result=Result.SUCCESS),
    "failed with a code": replace(DB, state=State.FAILED, result=Result.EXIT_CODE),
    "never spawned": replace(DB, state=State.FAILED, result=Result.SPAWN_FAILED),
    "stopped": replace(DB, state=State.STOPPED),
}
#                        started   listening  ready     completed  completed_ok
EXPECTED = {
    "waiting":            (NOT_YET, NOT_YET,  NOT_YET,  NOT_YET,   NOT_YET),
    "spawned":            (MET,     NOT_YET,  NOT_YET,  NOT_YET,   NOT_YET),
    "listening":          (MET,     MET,      NOT_YET,  NOT_YET,   NOT_YET),
    "running":            (MET,     MET,      MET,      NOT_YET,   NOT_YET),
    "in backoff":         (NOT_YET, NOT_YET,  NOT_YET,  NOT_YET,   NOT_YET),
    "done":               (MET,     MET,      MET,      MET,       MET),
    "failed with a code": (MET,     HOPELESS, HOPELESS, MET,       HOPELESS),
    "never spawned":      (MET,     HOPELESS, HOPELESS, HOPELESS,  HOPELESS),
    "stopped":            (NOT_YET, NOT_YET,  NOT_YET,  NOT_YET,   NOT_YET),
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_dependency_meets_what_it_has_reached(stage: str) -> None:
    assert tuple(judge(condition, STAGES[stage]) for condition in Condition) == EXPECTED[stage]
