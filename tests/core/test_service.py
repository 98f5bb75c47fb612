"""The life of a service, told as events and the effects that are expected of them, with literal times."""

import pytest

from supervisor.core import events as ev
from supervisor.core.reasons import Asked, BeforeReady, Cause, EndedWithCode, InARow, ListensElsewhere
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import Service, Timeouts, step
from supervisor.core.service.moves import kill
from supervisor.core.state import Milestone, Result, State, Then
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of

POLICY = RestartPolicy(delay=0.5, factor=2.0, max_delay=4.0, max_restarts=3, period=60.0)
WEB = Service("web", (8000, 8001), POLICY, Timeouts(ready=30.0, grace=10.0, kill=5.0), rotate_after=2)


def starting(pid: int = 7, port: int = 8000, at: float = 0.0) -> Service:
    return replace(WEB, state=State.STARTING, port=port, pid=pid, deadline=at + 30.0, reached=Milestone.STARTED)


def running(pid: int = 7, port: int = 8000, since: float = 0.0) -> Service:
    svc, _ = step(starting(pid, port), ev.BecameReady(pid), since)
    return svc


def test_a_start_leases_then_waits_for_dependencies_then_spawns() -> None:
    web, effects = step(WEB, ev.StartRequested(), 0.0)
    assert (web.state, effects) == (State.ACQUIRING, (ev.LeasePort(),))
    web, effects = step(web, ev.PortLeased(8000), 0.0)
    assert (web.state, effects) == (State.WAITING, ())
    web, effects = step(web, ev.DependenciesMet(), 1.0)
    assert (web.state, effects) == (State.STARTING, (ev.Spawn(8000),))
    web, effects = step(web, ev.Spawned(7), 1.0)
    assert (web.pid, web.deadline, effects) == (7, 31.0, ())
    web, effects = step(web, ev.BeganListening(7), 1.1)
    assert web.reached is Milestone.LISTENING
    web, effects = step(web, ev.BecameReady(7), 1.2)
    assert (web.state, web.deadline, effects) == (State.RUNNING, None, ())


@pytest.mark.parametrize("asks", [ev.StartRequested(), ev.RestartRequested(), ev.AwaitRequested()])
@pytest.mark.parametrize("state", [State.STOPPED, State.EXITED, State.FAILED])
def test_a_start_is_not_told_with_the_reason_of_the_last_end(state: State, asks: ev.Event) -> None:
    web, _ = step(replace(WEB, state=state, reason=Asked("stop")), asks, 0.0)
    assert (web.state, web.reason) == (State.ACQUIRING, "")


def test_no_port_at_all_is_a_failure_with_a_reason_for_each_port() -> None:
    web, _ = step(WEB, ev.StartRequested(), 0.0)
    web, effects = step(web, ev.NoPort(((8000, "held by `node`"), (8001, "leased"))), 0.0)
    assert (web.state, web.result, effects) == (State.FAILED, Result.NO_PORT, ())
    assert web.failed_ports == ((8000, "held by `node`"), (8001, "leased"))


def test_a_crash_after_a_good_run_restarts_at_once_on_the_same_port() -> None:
    web, effects = step(running(since=0.0), ev.Exited(7, signal=9), 10.0)
    assert (web.state, web.exit_code, web.restarts) == (State.STARTING, -9, 1)
    assert effects == (ev.Spawn(8000),)


def test_crashes_after_short_runs_wait_longer_each_time_and_then_give_up() -> None:
    web, waits, now = running(), [], 0.0
    while True:
        web, _ = step(web, ev.Exited(web.pid or 0, code=1), now + 0.1)
        if web.state is not State.BACKOFF:
            break
        assert web.deadline is not None
        waits.append(round(web.deadline - now - 0.1, 3))
        now = web.deadline
        web, effects = step(web, ev.DeadlinePassed(), now)
        assert effects == (ev.Spawn(8000),)
        web, _ = step(web, ev.Spawned(8), now)
        web, _ = step(web, ev.BecameReady(8), now)
    assert waits == [0.5, 1.0, 2.0]
    assert (web.state, web.result) == (State.FAILED, Result.START_LIMIT)
    assert text_of(web.reason) == "exit code 1, after 3 restarts"


def test_a_stable_period_wipes_the_count_of_restarts() -> None:
    web, _ = step(replace(running(since=0.0), attempts=3), ev.Exited(7, code=1), 61.0)
    assert (web.state, web.attempts) == (State.STARTING, 1)


def test_a_clean_exit_is_left_alone_by_on_failure_and_restarted_by_always() -> None:
    web, effects = step(running(), ev.Exited(7, code=0), 5.0)
    assert (web.state, web.result, effects) == (State.EXITED, Result.SUCCESS, ())
    always = replace(running(), policy=replace(POLICY, restart=Restart.ALWAYS))
    web, effects = step(always, ev.Exited(7, code=0), 5.0)
    assert (web.state, effects) == (State.STARTING, (ev.Spawn(8000),))


@pytest.mark.parametrize("exit", [ev.Exited(7, code=3), ev.Exited(7, signal=11)])
def test_never_restarting_means_a_bad_exit_is_a_failure(exit: ev.Exited) -> None:
    once = replace(running(), policy=replace(POLICY, restart=Restart.NEVER))
    web, effects = step(once, exit, 5.0)
    assert (web.state, effects) == (State.FAILED, ())
    assert web.result is (Result.EXIT_CODE if exit.signal is None else Result.SIGNAL)


def test_a_stranger_that_took_the_port_makes_the_service_rotate_at_once() -> None:
    web, effects = step(running(), ev.Exited(7, code=1, intruder="held by `node` (pid 4)"), 5.0)
    assert web.state is State.ACQUIRING
    tried = ((8000, "held by `node` (pid 4)"),)
    assert effects == (ev.QuarantinePort(*tried[0]), ev.LeasePort(tried))
    web, _ = step(web, ev.PortLeased(8001), 5.0)
    web, effects = step(web, ev.DependenciesMet(), 5.0)
    assert effects == (ev.Spawn(8001),)


def test_a_port_on_which_it_does_not_become_ready_is_left_after_rotate_after_tries() -> None:
    web, _ = step(starting(), ev.Exited(7, code=1), 1.0)
    assert (web.state, web.misses) == (State.BACKOFF, 1)
    web, _ = step(web, ev.DeadlinePassed(), 2.0)
    web, _ = step(web, ev.Spawned(8), 2.0)
    web, effects = step(web, ev.Exited(8, code=1), 3.0)
    why = InARow(BeforeReady(EndedWithCode(1)), 2)
    assert (web.state, web.misses) == (State.ACQUIRING, 0)
    assert effects == (ev.QuarantinePort(8000, why), ev.LeasePort(((8000, why),)))


def test_a_silent_start_is_terminated_and_its_last_probe_is_in_the_reason() -> None:
    web, _ = step(starting(), ev.ProbeFailed(7, "it listens on 3001 instead of 8000"), 2.0)
    web, effects = step(web, ev.DeadlinePassed(), 30.0)
    assert effects == (ev.Terminate(7),)
    assert text_of(web.reason) == "not ready within 30 s: it listens on 3001 instead of 8000"
    web, _ = step(web, ev.Exited(7, signal=15), 30.1)
    assert (web.state, web.result, web.misses) == (State.BACKOFF, Result.TIMEOUT, 1)


@pytest.mark.parametrize(("trouble", "needs_empty"), [(ListensElsewhere((3001,), 8000, "PORT"), True), ("503", False)])
def test_what_has_gone_to_another_port_finds_nobody_at_its_own_next_time(trouble: Cause, needs_empty: bool) -> None:
    web = replace(starting(), rotate_after=3, policy=replace(POLICY, max_restarts=9))
    web, _ = step(web, ev.ProbeFailed(7, trouble), 2.0)
    assert not web.needs_empty_port
    web, _ = step(web, ev.DeadlinePassed(), 30.0)
    web, _ = step(web, ev.Exited(7, signal=15), 30.1)
    web, _ = step(web, ev.DeadlinePassed(), 35.0)
    assert (web.state, web.needs_empty_port) == (State.STARTING, needs_empty)
    web, _ = step(web, ev.Spawned(8), 31.0)
    web, _ = step(web, ev.Exited(8, code=1), 32.0)
    web, _ = step(web, ev.DeadlinePassed(), 34.0)
    assert (web.state, web.misses, web.needs_empty_port) == (State.STARTING, 2, True), "the last start here"


def test_a_service_that_becomes_ready_forgets_the_ports_that_failed() -> None:
    web = replace(starting(port=8001), failed_ports=((8000, "held"),), misses=1)
    web, _ = step(web, ev.BecameReady(7), 3.0)
    assert (web.failed_ports, web.misses) == ((), 0)


def test_a_stop_terminates_then_kills_when_the_grace_period_is_over() -> None:
    web, effects = step(running(), ev.StopRequested(), 100.0)
    assert (web.state, web.deadline, effects) == (State.TERMINATING, 110.0, (ev.Terminate(7),))
    web, effects = step(web, ev.DeadlinePassed(), 110.0)
    assert (web.state, web.deadline, effects) == (State.KILLING, 115.0, (ev.Kill(7),))
    web, effects = step(web, ev.Exited(7, signal=9), 110.1)
    assert (web.state, web.pid, effects) == (State.STOPPED, None, ())


def test_a_second_request_to_stop_can_shorten_the_grace_but_not_lengthen_it() -> None:
    web, _ = step(running(), ev.StopRequested(), 100.0)
    web, _ = step(web, ev.StopRequested(1.0), 102.0)
    assert web.deadline == 103.0
    web, _ = step(web, ev.StopRequested(60.0), 102.5)
    assert web.deadline == 103.0


def test_a_restart_keeps_the_port_and_is_not_counted_as_a_failure() -> None:
    web, _ = step(running(), ev.RestartRequested(), 5.0)
    web, effects = step(web, ev.Exited(7, signal=15), 5.1)
    assert effects == (ev.Spawn(8000),)
    assert (web.attempts, web.restarts) == (0, 0)


def test_a_start_while_stopping_starts_it_again_and_a_stop_after_that_does_not() -> None:
    stopping, _ = step(running(), ev.StopRequested(), 0.0)
    web, _ = step(stopping, ev.StartRequested(), 0.1)
    assert step(web, ev.Exited(7, signal=15), 0.2)[0].state is State.STARTING
    web, _ = step(web, ev.StopRequested(), 0.15)
    assert step(web, ev.Exited(7, signal=15), 0.2)[0].state is State.STOPPED


def test_a_start_of_a_service_that_is_to_move_does_not_keep_it_on_its_port() -> None:
    for leaves, effects in (
        (ev.RotateRequested(), (ev.LeasePort((), leaving=8000),)),
        (
            ev.Intruded(7, "held by `node`"),
            (ev.QuarantinePort(8000, "held by `node`"), ev.LeasePort(((8000, "held by `node`"),))),
        ),
    ):
        moving, _ = step(running(), leaves, 0.0)
        for event in (ev.StartRequested(), ev.RestartRequested()):
            web, _ = step(moving, event, 0.1)
            assert step(web, ev.Exited(7, signal=15), 0.2)[1] == effects


def test_what_the_main_process_left_behind_is_killed_before_it_counts_as_ended() -> None:
    web, effects = step(running(), ev.MainExited(7, code=1), 5.0)
    assert (web.state, effects) == (State.KILLING, (ev.Kill(7),))
    web, effects = step(web, ev.Exited(7, code=1), 5.1)
    assert effects == (ev.Spawn(8000),)


def test_a_requested_rotation_moves_to_the_port_behind_and_blames_none() -> None:
    web, effects = step(running(), ev.RotateRequested(), 5.0)
    assert effects == (ev.Terminate(7),)
    web, effects = step(web, ev.Exited(7, signal=15), 5.1)
    assert effects == (ev.LeasePort((), leaving=8000),)


def test_a_lost_lock_kills_without_grace_and_nothing_brings_it_back() -> None:
    web, effects = step(running(), ev.LockLost(8000, "the file was deleted"), 5.0)
    assert effects == (ev.Kill(7),)
    web, _ = step(web, ev.StartRequested(), 5.05)
    web, _ = step(web, ev.StopRequested(), 5.06)
    web, effects = step(web, ev.Exited(7, signal=9), 5.1)
    assert (web.state, web.result, effects) == (State.FAILED, Result.LOCK_LOST, ())
    assert text_of(web.reason) == "the lock of port 8000 is lost: the file was deleted"


def test_a_service_whose_dependency_failed_fails_and_starts_when_that_is_mended() -> None:
    waiting = replace(WEB, state=State.WAITING, port=8000)
    web, _ = step(waiting, ev.DependencyFailed("`db` failed"), 1.0)
    assert (web.state, web.result) == (State.FAILED, Result.DEPENDENCY)
    _, effects = step(replace(web, pool=(9000,), port=None), ev.DependenciesMet(), 9.0)
    assert effects == (ev.LeasePort(),), "it got another pool meanwhile"
    web, effects = step(web, ev.DependenciesMet(), 9.0)
    assert effects == (ev.Spawn(8000),)


def test_news_of_another_process_changes_nothing() -> None:
    for event in (ev.Exited(8, code=1), ev.BecameReady(8), ev.MainExited(8, code=0), ev.Intruded(8, "x")):
        assert step(running(), event, 9.0) == (running(), ())


def test_a_command_that_is_not_there_fails_at_once_and_a_short_system_is_tried_again() -> None:
    begun = replace(WEB, state=State.STARTING, port=8000)
    web, _ = step(begun, ev.SpawnFailed("no such file"), 0.0)
    assert (web.state, web.result) == (State.FAILED, Result.SPAWN_FAILED)
    web, _ = step(begun, ev.SpawnFailed("out of processes", is_transient=True), 0.0)
    assert web.state is State.BACKOFF


JOB = Service("job", (), POLICY, Timeouts(ready=0.0), one_shot=True)


def working(job: Service = JOB) -> Service:
    return step(replace(job, state=State.STARTING), ev.Spawned(7), 0.0)[0]


def test_a_job_may_take_any_time_and_is_done_when_it_has_exited_with_0() -> None:
    job = working()
    assert (job.state, job.next_deadline) == (State.STARTING, None)
    job, effects = step(job, ev.Exited(7, code=0), 1000.0)
    assert (job.state, job.result, job.restarts, effects) == (State.EXITED, Result.SUCCESS, 0, ())


def test_a_job_that_fails_is_tried_again_until_it_has_done_its_work() -> None:
    job, _ = step(working(), ev.Exited(7, code=3), 10.0)
    assert (job.state, text_of(job.reason), job.restarts) == (State.BACKOFF, "exit code 3", 1)
    never = replace(JOB, policy=RestartPolicy(Restart.NEVER))
    job, _ = step(working(never), ev.Exited(7, code=3), 10.0)
    assert (job.state, job.result, text_of(job.reason)) == (State.FAILED, Result.EXIT_CODE, "exit code 3")


def test_a_job_with_a_limit_is_ended_after_it() -> None:
    job = working(replace(JOB, timeouts=Timeouts(ready=60.0)))
    job, effects = step(job, ev.DeadlinePassed(), 60.0)
    assert (job.state, text_of(job.reason), effects) == (State.TERMINATING, "not done within 60 s", (ev.Terminate(7),))


def test_other_exit_codes_can_mean_success() -> None:
    codes = frozenset((0, 3))
    for job in (JOB, replace(JOB, policy=RestartPolicy(Restart.NEVER))):
        for code in codes:
            ended, _ = step(working(replace(job, success_codes=codes)), ev.Exited(7, code=code), 10.0)
            assert (ended.state, ended.result, ended.exit_code) == (State.EXITED, Result.SUCCESS, code)
    failing, _ = step(working(replace(JOB, success_codes=codes)), ev.Exited(7, code=4), 10.0)
    assert (failing.state, failing.result) == (State.BACKOFF, Result.EXIT_CODE)
    always = replace(working(), success_codes=codes, policy=RestartPolicy(Restart.ALWAYS))
    assert step(always, ev.Exited(7, code=3), 10.0)[0].result is Result.SUCCESS
    killed, _ = step(working(replace(JOB, success_codes=codes | {9})), ev.Exited(7, signal=9), 10.0)
    assert (killed.state, killed.result) == (State.BACKOFF, Result.SIGNAL)


def test_nothing_is_asked_to_end_that_has_no_process() -> None:
    """Pid 0 would be the process group of portsup."""
    with pytest.raises(AssertionError, match="has no process"):
        kill(Service("web", state=State.STOPPED), Then.STOP, "", 0.0)
