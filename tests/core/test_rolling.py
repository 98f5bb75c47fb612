"""A rolling restart, told as events and the effects that are expected of them, with literal times."""

import pytest

from supervisor.core import events as ev
from supervisor.core.reasons import ListensElsewhere
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import Service, Timeouts, can_roll, is_rolling
from supervisor.core.state import Beside, Health, Milestone, Result, Role, State
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of
from tests.support.told import told

POLICY = RestartPolicy(delay=0.5, factor=2.0, max_delay=4.0, max_restarts=3, period=60.0)
TIMES = Timeouts(ready=30.0, grace=10.0, kill=5.0)
RUNNING = Service(
    "web", (8000, 8001), POLICY, TIMES, state=State.RUNNING, port=8000, pid=7, reached=Milestone.READY, ready_since=0.0
)


def rolling(grace: float | None = None) -> Service:
    """Pid 8 starts beside pid 7, since 100.0."""
    return told(RUNNING, ev.RollRequested(grace), ev.Spawned(8))[0]


def handed_on() -> Service:
    """Pid 8 is in charge since 100.0, and pid 7 is asked to stop."""
    return told(rolling(), ev.BeganListening(8), ev.BecameReady(8))[0]


def test_the_successor_starts_beside_the_one_in_charge() -> None:
    web, effects = told(RUNNING, ev.RollRequested(), ev.Spawned(8))
    assert effects == (ev.SpawnBeside(8000),)
    assert (web.state, web.pid, web.next_deadline) == (State.RUNNING, 7, 130.0)
    assert web.beside == Beside(Role.SUCCESSOR, 8, 130.0, 10.0, Milestone.STARTED)
    assert is_rolling(web)
    assert not can_roll(web)


def test_a_successor_that_is_ready_takes_over_and_the_old_one_is_asked_to_stop() -> None:
    web, effects = told(rolling(grace=2.0), ev.BecameReady(8), now=101.0)
    assert effects == (ev.Terminate(7),)
    assert (web.state, web.pid, web.port, web.ready_since) == (State.RUNNING, 8, 8000, 101.0)
    assert web.beside == Beside(Role.LEAVING, 7, 103.0, 2.0)
    web, effects = told(web, ev.MainExited(7, signal=15), ev.Exited(7, signal=15))
    assert (web.beside, web.restarts, web.attempts, effects) == (None, 0, 0, ())


def test_a_requested_roll_wipes_the_count_of_restarts_and_the_health_of_the_old_process() -> None:
    tired = replace(RUNNING, attempts=3, short_runs=2, health=Health.UNHEALTHY, exit_code=1)
    web, _ = told(tired, ev.RollRequested(), ev.Spawned(8), ev.BecameReady(8))
    assert (web.attempts, web.short_runs, web.health, web.exit_code) == (0, 0, Health.NONE, None)


def test_an_old_process_that_does_not_stop_is_killed_after_its_grace() -> None:
    web, effects = told(handed_on(), ev.DeadlinePassed(), now=110.0)
    assert (effects, web.state, web.pid) == ((ev.Kill(7),), State.RUNNING, 8)
    assert web.next_deadline == 115.0
    web, effects = told(web, ev.DeadlinePassed(), now=115.0)
    assert (effects, is_rolling(web), can_roll(web)) == ((), False, False)
    assert can_roll(told(web, ev.Exited(7, signal=9))[0])


@pytest.mark.parametrize("events", [(ev.Exited(8, code=3),), (ev.MainExited(8, code=3), ev.Exited(8, code=3))])
def test_a_successor_that_ends_leaves_the_old_one_in_service(events: tuple[ev.Event, ...]) -> None:
    web, _ = told(rolling(), *events)
    assert (web.state, web.pid, web.beside, web.restarts) == (State.RUNNING, 7, None, 0)
    assert text_of(web.roll_trouble) == "exit code 3 before it was ready"


def test_what_a_successor_leaves_behind_is_killed() -> None:
    assert told(rolling(), ev.MainExited(8, code=3))[1] == (ev.Kill(8),)


def test_a_successor_that_is_never_ready_is_ended_and_its_last_probe_is_in_the_reason() -> None:
    web, effects = told(rolling(), ev.ProbeFailed(8, "GET /health answered 503"), ev.DeadlinePassed(), now=130.0)
    assert effects == (ev.Terminate(8),)
    assert text_of(web.roll_trouble) == "not ready within 30 s: GET /health answered 503"
    web, effects = told(web, ev.DeadlinePassed(), now=140.0)
    assert effects == (ev.Kill(8),)
    web, effects = told(web, ev.BecameReady(8), ev.Exited(8, signal=9))
    assert (web.pid, web.beside, effects) == (7, None, ())


def test_a_successor_that_never_listened_is_told_so() -> None:
    web, _ = told(rolling(), ev.DeadlinePassed(), now=130.0)
    assert text_of(web.roll_trouble) == "not ready within 30 s: nothing listens on port 8000"


def test_a_successor_that_can_not_be_spawned_changes_nothing() -> None:
    web, effects = told(RUNNING, ev.RollRequested(), ev.SpawnFailed("no such program"))
    assert effects == (ev.SpawnBeside(8000),)
    assert web == replace(RUNNING, roll_trouble="no such program")


def test_only_a_running_service_with_one_process_can_begin() -> None:
    for state in set(State) - {State.RUNNING}:
        svc = replace(RUNNING, state=state)
        assert told(svc, ev.RollRequested()) == (svc, ())
    assert told(rolling(), ev.RollRequested()) == (rolling(), ())


def test_a_successor_takes_the_place_of_a_process_that_crashes_meanwhile() -> None:
    web, effects = told(rolling(), ev.BeganListening(8), ev.Exited(7, signal=11), now=101.0)
    assert (web.state, web.pid, web.deadline, web.beside) == (State.STARTING, 8, 130.0, None)
    assert (web.reached, web.restarts, web.exit_code, effects) == (Milestone.LISTENING, 1, -11, ())
    web, _ = told(web, ev.BecameReady(8))
    assert (web.state, web.pid) == (State.RUNNING, 8)


def test_what_the_crashed_process_left_behind_is_killed_beside_its_successor() -> None:
    web, effects = told(rolling(), ev.MainExited(7, code=1))
    assert (web.state, web.pid, effects) == (State.STARTING, 8, (ev.Kill(7),))
    web, _ = told(web, ev.BecameReady(8), ev.Exited(7, code=1))
    assert (web.state, web.pid, web.beside) == (State.RUNNING, 8, None)


def test_a_new_process_that_crashes_is_started_again_when_the_old_one_is_gone() -> None:
    web, effects = told(handed_on(), ev.Exited(8, code=1), now=101.0)
    assert (web.state, web.pid, web.deadline, effects) == (State.TERMINATING, 7, 110.0, ())
    web, effects = told(web, ev.Exited(7, signal=15), now=103.0)
    assert (web.state, web.exit_code, web.restarts, effects) == (State.STARTING, 1, 1, (ev.Spawn(8000),))


def test_a_new_process_that_ends_for_good_leaves_the_service_at_rest_when_the_old_one_is_gone() -> None:
    once = replace(handed_on(), policy=replace(POLICY, restart=Restart.NEVER))
    web, _ = told(once, ev.Exited(8, code=0), ev.Exited(7, code=1))
    assert (web.state, web.result, web.exit_code) == (State.EXITED, Result.SUCCESS, 0)


@pytest.mark.parametrize("request_", [ev.StopRequested(), ev.RestartRequested(), ev.RotateRequested()])
def test_what_ends_the_service_ends_both_and_waits_for_the_last(request_: ev.Event) -> None:
    web, effects = told(rolling(), request_, now=101.0)
    assert (web.state, effects) == (State.TERMINATING, (ev.Terminate(7), ev.Terminate(8)))
    web, effects = told(web, ev.Exited(7, signal=15), now=102.0)
    assert (web.state, web.pid, web.deadline, effects) == (State.TERMINATING, 8, 111.0, ())
    web, effects = told(web, ev.Exited(8, signal=15), now=103.0)
    assert (web.pid, web.restarts) == (None, 0)
    after = {ev.StopRequested: State.STOPPED, ev.RestartRequested: State.STARTING, ev.RotateRequested: State.ACQUIRING}
    assert web.state is after[type(request_)]


def test_a_stop_while_the_old_one_leaves_waits_for_that_too() -> None:
    web, effects = told(handed_on(), ev.StopRequested(), now=105.0)
    assert effects == (ev.Terminate(8),)
    assert web.beside is not None
    assert web.beside.deadline == 110.0
    web, _ = told(web, ev.Exited(8, signal=15), ev.Exited(7, signal=15))
    assert web.state is State.STOPPED


def test_a_shorter_stop_is_shorter_for_both() -> None:
    web, _ = told(handed_on(), ev.StopRequested(1.0), now=105.0)
    assert web.beside is not None
    assert (web.deadline, web.beside.deadline) == (106.0, 106.0)
    web, _ = told(web, ev.StopRequested(0.0), now=105.5)
    assert web.next_deadline == 105.5


@pytest.mark.parametrize("demand", [ev.KillRequested(), ev.LockLost(8000, "deleted")])
@pytest.mark.parametrize("svc", [rolling(), handed_on()])
def test_a_kill_kills_both(demand: ev.Event, svc: Service) -> None:
    web, effects = told(svc, demand, now=101.0)
    assert set(effects) == {ev.Kill(7), ev.Kill(8)}
    web, _ = told(web, ev.Exited(7, signal=9), ev.Exited(8, signal=9))
    assert (web.pid, web.beside) == (None, None)
    assert web.state is (State.FAILED if isinstance(demand, ev.LockLost) else State.STOPPED)


def test_an_unhealthy_process_that_is_being_replaced_is_not_restarted() -> None:
    web, effects = told(rolling(), ev.CheckFailed(7, "answered 500"))
    assert (web.state, web.health, effects) == (State.RUNNING, Health.UNHEALTHY, ())
    web, effects = told(handed_on(), ev.CheckFailed(8, "answered 500"))
    assert (web.state, effects) == (State.TERMINATING, (ev.Terminate(8),))


def test_the_checks_of_a_process_that_is_being_replaced_are_counted() -> None:
    patient = replace(rolling(), unhealthy_after=2)
    web, _ = told(patient, ev.CheckFailed(7, "answered 500"))
    assert (web.health, web.failed_checks) == (Health.NONE, 1)
    web, _ = told(patient, ev.CheckFailed(7, "answered 500"), ev.CheckFailed(7, "answered 500"))
    assert (web.state, web.health) == (State.RUNNING, Health.UNHEALTHY)


def test_a_successor_that_has_to_listen_only_takes_over_once_it_does() -> None:
    web, effects = told(replace(rolling(), is_ready_by_listening=True), ev.BeganListening(8))
    assert (web.pid, web.reached, web.failed_checks) == (8, Milestone.READY, 0)
    assert effects == (ev.Terminate(7),)


def test_news_of_processes_that_are_gone_changes_nothing() -> None:
    for event in (
        ev.Exited(6, code=0),
        ev.MainExited(6),
        ev.BecameReady(6),
        ev.BeganListening(6),
        ev.ProbeFailed(6, ""),
    ):
        assert told(rolling(), event) == (rolling(), ())


def test_a_successor_that_finds_the_port_taken_and_goes_to_another_is_given_up_at_once() -> None:
    elsewhere = ListensElsewhere((43003,), 8000, "PORT")
    web, effects = told(replace(rolling(), keeps_to_port=True), ev.ProbeFailed(8, elsewhere))
    assert (web.state, web.pid, effects) == (State.RUNNING, 7, (ev.Kill(8),))
    assert text_of(web.roll_trouble) == "it listens on 43003 instead of 8000, the port in $PORT"
    web, effects = told(rolling(), ev.ProbeFailed(8, elsewhere))
    assert (web.beside and web.beside.trouble, effects) == (elsewhere, ())
