"""When a change of files is acted on."""

import pytest

from supervisor.core.state import State
from supervisor.core.watch import Action, Moment, Watch, moment

S = State
PASSING = {S.ACQUIRING, S.WAITING, S.PREPARING, S.STARTING, S.TERMINATING, S.KILLING, S.CLEANING}
WHEN = {
    Action.RESTART: {Moment.NOW: {S.RUNNING, S.EXITED, S.FAILED, S.BACKOFF}, Moment.NEVER: {S.STOPPED, S.IDLE}},
    Action.RELOAD: {Moment.NOW: {S.RUNNING}, Moment.NEVER: {S.STOPPED, S.IDLE, S.EXITED, S.FAILED, S.BACKOFF}},
    Action.RUN: {Moment.NOW: {S.RUNNING, S.EXITED, S.FAILED, S.BACKOFF, S.STOPPED, S.IDLE}, Moment.NEVER: set()},
}


@pytest.mark.parametrize("action", Action)
def test_a_start_or_a_stop_is_left_to_finish_and_all_else_is_decided_at_once(action: Action) -> None:
    found: dict[Moment, set[State]] = {each: set() for each in Moment}
    for state in State:
        found[moment(Watch(action=action), state)].add(state)
    assert found == {**WHEN[action], Moment.LATER: PASSING}
