"""A service whose process ends before it is known whether it listens for good."""

import pytest

from supervisor.core import events as ev
from supervisor.core.reasons import AfterRestarts, BeforeReady, EndedBySignal
from supervisor.core.restart import RestartPolicy
from supervisor.core.service import Service
from supervisor.core.state import Milestone, Result, State
from supervisor.dataclass import replace
from tests.support.told import told

POLICY = RestartPolicy(delay=0.0, max_restarts=5)
STARTING = Service(
    "web", (8000, 8001), POLICY, rotate_after=2, state=State.STARTING, port=8000, pid=7, deadline=30.0,
    reached=Milestone.STARTED, is_ready_by_listening=True,
)  # fmt: skip


@pytest.mark.parametrize(("code", "number"), [(1, None), (None, 9)])
@pytest.mark.parametrize("has_children", [False, True])
def test_one_that_had_its_port_keeps_it_and_is_given_up_in_the_end(
    code: int | None, number: int | None, has_children: bool
) -> None:
    web = STARTING
    for pid in range(7, 12):
        first = (ev.MainExited(pid, code, number, had_port=True),) if has_children else ()
        web, _ = told(web, *first, ev.Exited(pid, code, number, had_port=not has_children))
        assert (web.state, web.port, web.misses, web.needs_empty_port) == (State.STARTING, 8000, 0, False)
        web, _ = told(web, ev.Spawned(pid + 1))
    web, _ = told(web, ev.Exited(12, signal=9, had_port=True))
    assert (web.state, web.result) == (State.FAILED, Result.START_LIMIT)
    assert web.reason == AfterRestarts(BeforeReady(EndedBySignal(9)), 5)


def test_what_the_last_process_had_says_nothing_of_the_next() -> None:
    web, _ = told(STARTING, ev.Exited(7, code=1, had_port=True), ev.Spawned(8), ev.Exited(8, code=1))
    assert (web.port, web.misses, web.needs_empty_port) == (8000, 1, True)
    web, effects = told(web, ev.Spawned(9), ev.Exited(9, code=1))
    assert (web.state, effects[-1]) == (State.ACQUIRING, ev.LeasePort(web.failed_ports, None))


def test_one_that_has_to_answer_to_be_ready_leaves_its_port_and_until_then_clients_wait_there() -> None:
    web, _ = told(replace(STARTING, is_ready_by_listening=False), ev.Exited(7, code=1, had_port=True))
    assert (web.misses, web.needs_empty_port) == (1, False), "it has not found its port taken"
    web, _ = told(web, ev.Spawned(8), ev.Exited(8, code=1, had_port=True))
    assert web.state is State.ACQUIRING
