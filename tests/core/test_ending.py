"""Whose end is the end of all, and what `up` returns then."""

import pytest

from supervisor.core.ending import Abort, OnEnd, Others, code_of, ends_all
from supervisor.core.service import Service
from supervisor.core.state import Result, State
from supervisor.dataclass import replace
from supervisor.errors import ExitCode

DONE = Service("it", state=State.EXITED, result=Result.SUCCESS, exit_code=0)
FAILED = Service("it", state=State.FAILED, result=Result.START_LIMIT, exit_code=3)
STOP, GO_ON = Others.STOP_ALL, Others.IGNORE


@pytest.mark.parametrize(
    ("on_end", "after_success", "after_failure"),
    [
        (OnEnd(), False, False),
        (OnEnd(STOP, STOP), True, True),
        (OnEnd(STOP, GO_ON), True, False),
        (OnEnd(GO_ON, STOP), False, True),
    ],
)
def test_a_service_says_what_its_end_does(on_end: OnEnd, after_success: bool, after_failure: bool) -> None:
    assert ends_all(DONE, on_end, Abort()) is after_success
    assert ends_all(FAILED, on_end, Abort()) is after_failure


@pytest.mark.parametrize("state", [state for state in State if state not in (State.EXITED, State.FAILED)])
def test_only_an_end_for_good_counts(state: State) -> None:
    svc = replace(FAILED, state=state)
    assert not ends_all(svc, OnEnd(STOP, STOP), Abort(on_exit=True, on_failure=True, code_from="it"))


def test_a_process_that_is_still_there_has_not_ended() -> None:
    assert not ends_all(replace(FAILED, pid=7), OnEnd(STOP, STOP), Abort())


def test_who_starts_the_stack_can_ask_for_it() -> None:
    job = replace(DONE, one_shot=True)
    assert ends_all(DONE, OnEnd(), Abort(on_exit=True))
    assert not ends_all(job, OnEnd(), Abort(on_exit=True)), "its work is done"
    assert ends_all(replace(FAILED, one_shot=True), OnEnd(), Abort(on_exit=True))
    assert ends_all(job, OnEnd(), Abort(on_exit=True, code_from="it")), "it was waited for"
    assert not ends_all(DONE, OnEnd(), Abort(on_failure=True))
    assert ends_all(FAILED, OnEnd(), Abort(on_failure=True))
    assert not ends_all(job, OnEnd(), Abort(on_exit=True, code_from="other"))


@pytest.mark.parametrize(
    ("svc", "code"),
    [
        (DONE, 0),
        (replace(DONE, exit_code=75), 0),
        (FAILED, 3),
        (replace(FAILED, result=Result.EXIT_CODE, exit_code=1), 1),
        (replace(FAILED, result=Result.SIGNAL, exit_code=-9), 128 + 9),
        (replace(FAILED, result=Result.TIMEOUT, exit_code=-15), ExitCode.GAVE_UP),
        (replace(FAILED, result=Result.SPAWN_FAILED, exit_code=None), ExitCode.GAVE_UP),
        (replace(FAILED, result=Result.DEPENDENCY, exit_code=None), ExitCode.GAVE_UP),
        (replace(FAILED, result=Result.UNHEALTHY, exit_code=-15), ExitCode.UNHEALTHY),
    ],
)
def test_the_code_is_what_a_shell_would_see(svc: Service, code: int) -> None:
    assert code_of(svc) == code
