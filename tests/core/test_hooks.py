"""The hooks of a service, told as events and the effects that are expected of them, with literal times.

It has more than 300 lines: each hook and each way out of it is told once, by the same few services.
"""

import pytest

from supervisor.core import events as ev
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import Service, Timeouts, is_rolling
from supervisor.core.service.hooks import facts
from supervisor.core.state import Hook, HookRun, Milestone, Result, Role, State, Then
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of
from tests.support.told import told

S = State
POLICY = RestartPolicy(delay=0.5, factor=2.0, max_delay=4.0, max_restarts=3, period=60.0)
TIMES = Timeouts(ready=30.0, grace=10.0, kill=5.0)
ALL = dict.fromkeys(Hook, 30.0)
WAITING = Service("web", (8000, 8001), POLICY, TIMES, rotate_after=1, hooks=ALL, state=S.WAITING, port=8000)
RUNNING = replace(WAITING, state=S.RUNNING, pid=7, reached=Milestone.READY, ready_since=0.0)


def having(svc: Service, *hooks: Hook, **times: float) -> Service:
    """A service with these hooks alone."""
    return replace(svc, hooks={hook: times.get(hook, 30.0) for hook in hooks})


def preparing(svc: Service = WAITING) -> Service:
    return told(svc, ev.DependenciesMet())[0]


# pre_start


def test_pre_start_runs_before_the_process_and_with_the_port() -> None:
    web, effects = told(WAITING, ev.DependenciesMet())
    assert (web.state, web.port, web.pid, web.next_deadline) == (S.PREPARING, 8000, None, 130.0)
    assert effects == (ev.RunHook(Hook.PRE_START, 1),)
    web, effects = told(web, ev.HookEnded(1))
    assert (web.state, web.hook, effects) == (S.STARTING, None, (ev.Spawn(8000),))
    web, _ = told(web, ev.Spawned(7), now=105.0)
    assert web.deadline == 135.0, "its time does not count for becoming ready"


def test_a_service_without_hooks_never_waits_for_one() -> None:
    web, effects = told(having(WAITING), ev.DependenciesMet())
    assert (web.state, effects) == (S.STARTING, (ev.Spawn(8000),))
    web, effects = told(having(RUNNING), ev.StopRequested(), ev.Exited(7, code=0))
    assert (web.state, effects) == (S.STOPPED, (ev.Terminate(7),))


def test_a_pre_start_that_fails_is_a_failed_start_and_not_the_fault_of_the_port() -> None:
    web = preparing(having(WAITING, Hook.PRE_START))
    why = "pre_start ended with exit code 1: no database"
    for attempt, delay in enumerate((0.5, 1.0, 2.0), 1):
        web, effects = told(web, ev.HookEnded(attempt, "ended with exit code 1: no database"))
        assert (web.state, web.port, web.misses, web.restarts) == (S.BACKOFF, 8000, 0, attempt)
        assert (web.result, text_of(web.reason), web.deadline, effects) == (Result.HOOK_FAILED, why, 100.0 + delay, ())
        web, effects = told(web, ev.DeadlinePassed(), now=100.0 + delay)
        assert (web.state, effects) == (S.PREPARING, (ev.RunHook(Hook.PRE_START, attempt + 1),))
    web, _ = told(web, ev.HookEnded(4, "ended with exit code 1: no database"))
    assert (web.state, web.result, text_of(web.reason)) == (S.FAILED, Result.START_LIMIT, f"{why}, after 3 restarts")


def test_a_pre_start_that_cannot_be_run_is_not_tried_again() -> None:
    web, effects = told(preparing(), ev.HookEnded(1, "cannot run `x`", is_final=True))
    assert (web.state, effects) == (S.CLEANING, (ev.RunHook(Hook.POST_STOP, 2),))
    web, _ = told(web, ev.HookEnded(2))
    assert (web.state, web.result, text_of(web.reason)) == (S.FAILED, Result.HOOK_FAILED, "pre_start cannot run `x`")
    never = replace(having(WAITING, Hook.PRE_START), policy=RestartPolicy(Restart.NEVER))
    assert told(preparing(never), ev.HookEnded(1, "ended with exit code 1"))[0].state is S.FAILED


def test_a_hook_that_takes_too_long_is_ended() -> None:
    web = preparing(having(WAITING, Hook.PRE_START, pre_start=2.0))
    assert told(web, ev.DeadlinePassed(), now=101.9) == (web, ())
    web, effects = told(web, ev.DeadlinePassed(), now=102.0)
    assert (web.state, text_of(web.reason)) == (S.BACKOFF, "pre_start was not done within 2 s")
    assert effects == (ev.EndHook(1),)
    assert told(web, ev.HookEnded(1, "ended with signal 9")) == (web, ())


def test_a_stop_during_pre_start_ends_it_and_cleans_up() -> None:
    web, effects = told(preparing(), ev.StopRequested())
    assert (web.state, effects) == (S.CLEANING, (ev.EndHook(1), ev.RunHook(Hook.POST_STOP, 2)))
    web, effects = told(web, ev.HookEnded(2))
    assert (web.state, web.result, effects) == (S.STOPPED, Result.SUCCESS, ())
    web, effects = told(preparing(), ev.StopRequested(is_urgent=True))
    assert (web.state, effects) == (S.STOPPED, (ev.EndHook(1),))


def test_a_restart_during_pre_start_begins_anew() -> None:
    web, effects = told(preparing(having(WAITING, Hook.PRE_START)), ev.RestartRequested())
    assert (web.state, effects) == (S.PREPARING, (ev.EndHook(1), ev.RunHook(Hook.PRE_START, 2)))


# post_start


def test_post_start_runs_when_the_service_is_ready_and_nobody_waits_for_it() -> None:
    web = replace(WAITING, state=S.STARTING, pid=7, deadline=130.0)
    web, effects = told(web, ev.BecameReady(7))
    assert (web.state, effects) == (S.RUNNING, (ev.RunHook(Hook.POST_START, 1, 7),))
    good, effects = told(web, ev.HookEnded(1))
    assert (good.state, good.hook, text_of(good.hook_trouble), effects) == (S.RUNNING, None, "", ())
    bad, effects = told(web, ev.HookEnded(1, "ended with exit code 3"))
    assert (bad.state, text_of(bad.hook_trouble), bad.restarts, effects) == (
        S.RUNNING, "post_start ended with exit code 3", 0, ()
    )  # fmt: skip
    late, effects = told(web, ev.DeadlinePassed(), now=130.0)
    assert (late.state, text_of(late.hook_trouble), effects) == (
        S.RUNNING, "post_start was not done within 30 s", (ev.EndHook(1),)
    )  # fmt: skip


def test_a_crash_ends_post_start() -> None:
    web = having(replace(RUNNING, hook=HookRun(Hook.POST_START, 5, 90.0, 120.0, 7), hook_runs=5), Hook.POST_START)
    web, effects = told(web, ev.Exited(7, signal=11))
    assert (web.state, effects) == (S.STARTING, (ev.EndHook(5), ev.Spawn(8000)))


def test_the_watchdog_counts_beside_a_hook() -> None:
    web = replace(RUNNING, hook=HookRun(Hook.POST_START, 5, 90.0, 120.0, 7), watchdog=3.0, deadline=103.0)
    assert web.next_deadline == 103.0
    web, effects = told(web, ev.DeadlinePassed(), now=103.0)
    assert (web.state, effects) == (S.TERMINATING, (ev.EndHook(5), ev.Abort(7)))


# pre_stop and stop_command


def test_pre_stop_comes_before_the_signal() -> None:
    web, effects = told(having(RUNNING, Hook.PRE_STOP, pre_stop=3.0), ev.StopRequested())
    assert (web.state, web.deadline, web.next_deadline) == (S.TERMINATING, 110.0, 103.0)
    assert effects == (ev.RunHook(Hook.PRE_STOP, 1, 7),)
    for event in (ev.HookEnded(1), ev.HookEnded(1, "ended with exit code 1")):
        asked, effects = told(web, event, now=101.0)
        assert (asked.state, asked.deadline, effects) == (S.TERMINATING, 110.0, (ev.Terminate(7),))
    late, effects = told(web, ev.DeadlinePassed(), now=103.0)
    assert effects == (ev.EndHook(1), ev.Terminate(7))
    assert text_of(late.hook_trouble) == "pre_stop was not done within 3 s"


def test_what_comes_before_the_signal_gets_at_most_half_of_the_grace() -> None:
    web, _ = told(RUNNING, ev.StopRequested(4.0))
    assert web.next_deadline == 102.0
    web, effects = told(web, ev.DeadlinePassed(), now=102.0)
    assert effects == (ev.EndHook(1), ev.RunHook(Hook.STOP_COMMAND, 2, 7))
    assert web.next_deadline == 103.0
    web, effects = told(web, ev.DeadlinePassed(), now=103.0)
    assert effects == (ev.EndHook(2), ev.Terminate(7))
    web, _ = told(RUNNING, ev.StopRequested(), ev.StopRequested(2.0))
    assert (web.deadline, web.next_deadline) == (102.0, 101.0)
    web, effects = told(RUNNING, ev.StopRequested(0.0))
    assert effects == (ev.Terminate(7),)


def test_a_service_that_was_not_ready_has_no_pre_stop() -> None:
    _, effects = told(replace(RUNNING, state=S.STARTING), ev.StopRequested())
    assert effects == (ev.RunHook(Hook.STOP_COMMAND, 1, 7),)
    _, effects = told(having(replace(RUNNING, state=S.STARTING), Hook.PRE_STOP), ev.StopRequested())
    assert effects == (ev.Terminate(7),)


def test_a_stop_command_takes_the_place_of_the_signal_unless_it_fails() -> None:
    asked, effects = told(having(RUNNING, Hook.STOP_COMMAND), ev.StopRequested(), ev.HookEnded(1))
    assert (asked.state, asked.deadline, effects) == (S.TERMINATING, 110.0, (ev.RunHook(Hook.STOP_COMMAND, 1, 7),))
    _, effects = told(asked, ev.MainExited(7, code=0))
    assert effects == (ev.Terminate(7),), "what it left was told nothing yet"
    killed, effects = told(asked, ev.DeadlinePassed(), now=110.0)
    assert (killed.state, effects) == (S.KILLING, (ev.Kill(7),))
    _, effects = told(having(RUNNING, Hook.STOP_COMMAND), ev.StopRequested(), ev.HookEnded(1, "ended with exit code 1"))
    assert effects[-1] == ev.Terminate(7)


def test_a_hook_outlives_the_process_that_it_is_about() -> None:
    web, effects = told(RUNNING, ev.StopRequested(), ev.HookEnded(1), ev.Exited(7, code=0))
    assert (web.state, web.pid, web.exit_code) == (S.TERMINATING, None, 0)
    assert effects == (ev.RunHook(Hook.PRE_STOP, 1, 7), ev.RunHook(Hook.STOP_COMMAND, 2, 7))
    done, effects = told(web, ev.HookEnded(2))
    assert (done.state, effects) == (S.CLEANING, (ev.RunHook(Hook.POST_STOP, 3, 7),))
    late, effects = told(web, ev.DeadlinePassed(), now=105.0)
    assert (late.state, effects) == (S.CLEANING, (ev.EndHook(2), ev.RunHook(Hook.POST_STOP, 3, 7)))
    killed, effects = told(web, ev.KillRequested())
    assert (killed.state, effects) == (S.STOPPED, (ev.EndHook(2),))


@pytest.mark.parametrize("hook", [Hook.PRE_STOP, Hook.STOP_COMMAND])
def test_who_does_not_want_to_wait_skips_the_hooks(hook: Hook) -> None:
    web, _ = told(having(RUNNING, hook, Hook.POST_STOP), ev.StopRequested())
    killed, effects = told(web, ev.KillRequested())
    assert (killed.state, effects) == (S.KILLING, (ev.Kill(7), ev.EndHook(1)))
    assert told(killed, ev.Exited(7, signal=9))[0].state is S.STOPPED
    hurried, effects = told(web, ev.StopRequested(0.4, is_urgent=True))
    assert (hurried.deadline, effects) == (100.4, (ev.EndHook(1), ev.Terminate(7)))
    assert told(hurried, ev.Exited(7, signal=15))[0].state is S.STOPPED


def test_no_hook_delays_a_service_whose_lock_is_lost() -> None:
    loss = ev.LockLost(8000, "deleted")
    for web in (RUNNING, told(RUNNING, ev.StopRequested())[0]):
        lost, effects = told(web, loss)
        assert (lost.state, effects[0]) == (S.KILLING, ev.Kill(7))
        lost, effects = told(lost, ev.Exited(7, signal=9))
        assert (lost.state, lost.result, effects) == (S.FAILED, Result.LOCK_LOST, ())
    lost, effects = told(preparing(), loss)
    assert (lost.state, lost.result, effects) == (S.FAILED, Result.LOCK_LOST, (ev.EndHook(1),))


def test_a_hung_or_leaving_process_is_not_talked_to() -> None:
    web, effects = told(replace(RUNNING, watchdog=3.0, deadline=100.0), ev.DeadlinePassed())
    assert (web.then, effects) == (Then.RETRY, (ev.Abort(7),))


# post_stop


def test_post_stop_runs_after_a_crash_and_before_the_next_start() -> None:
    web, effects = told(RUNNING, ev.Exited(7, code=3), now=100.0)
    assert (web.state, web.pid, web.port, text_of(web.reason)) == (S.CLEANING, None, 8000, "exit code 3")
    assert effects == (ev.RunHook(Hook.POST_STOP, 1, 7),)
    web, effects = told(web, ev.HookEnded(1, "ended with exit code 1"), now=120.0)
    assert (web.state, web.result, text_of(web.hook_trouble)) == (
        S.PREPARING, Result.EXIT_CODE, "post_stop ended with exit code 1"
    )  # fmt: skip
    assert effects == (ev.RunHook(Hook.PRE_START, 2),)


def test_the_time_of_post_stop_is_no_time_that_the_service_ran_well() -> None:
    web = replace(RUNNING, ready_since=99.5)
    web, _ = told(web, ev.Exited(7, code=3), now=100.0)
    web, _ = told(web, ev.HookEnded(1), now=170.0)
    assert (web.state, web.deadline, web.attempts) == (S.BACKOFF, 170.5, 1)


def test_every_way_to_the_end_passes_post_stop() -> None:
    ways: dict[State, tuple[Service, tuple[ev.Event, ...]]] = {
        S.STOPPED: (RUNNING, (ev.StopRequested(), ev.MainExited(7, code=0), ev.Exited(7))),
        S.EXITED: (RUNNING, (ev.MainExited(7, code=0), ev.Exited(7))),
        S.ACQUIRING: (RUNNING, (ev.Intruded(7, "`node`"), ev.Exited(7, code=0))),
        S.FAILED: (replace(WAITING, state=S.STARTING), (ev.SpawnFailed("no such file"),)),
    }
    for state, (svc, events) in ways.items():
        web, effects = told(having(svc, Hook.POST_STOP), *events)
        assert (web.state, effects[-1].__class__) == (S.CLEANING, ev.RunHook)
        assert told(web, ev.HookEnded(1))[0].state is state


def test_a_start_while_it_cleans_up_comes_after_that() -> None:
    web, _ = told(having(RUNNING, Hook.POST_STOP), ev.StopRequested(), ev.Exited(7, code=0))
    asked, effects = told(web, ev.StartRequested())
    assert (asked.state, effects) == (S.CLEANING, ())
    again, effects = told(asked, ev.HookEnded(1))
    assert (again.state, effects) == (S.STARTING, (ev.Spawn(8000),))
    assert told(asked, ev.StopRequested(), ev.HookEnded(1))[0].state is S.STOPPED
    assert told(web, ev.LockLost(8000, "deleted"))[0].result is Result.LOCK_LOST


def test_a_process_that_survived_its_kill_is_cleaned_up_after_when_it_is_gone() -> None:
    web = replace(having(RUNNING, Hook.POST_STOP), state=S.FAILED, result=Result.TIMEOUT)
    web, effects = told(web, ev.Exited(7, signal=9))
    assert (web.state, effects) == (S.CLEANING, (ev.RunHook(Hook.POST_STOP, 1, 7),))
    web, _ = told(web, ev.HookEnded(1))
    assert (web.state, web.result, web.pid) == (S.FAILED, Result.TIMEOUT, None)


# A rolling restart


def test_a_successor_has_its_pre_start_while_the_old_one_goes_on() -> None:
    web, effects = told(RUNNING, ev.RollRequested())
    assert effects == (ev.RunHook(Hook.PRE_START, 1, 7),)
    assert (web.state, web.pid, is_rolling(web)) == (S.RUNNING, 7, True)
    asked, effects = told(web, ev.BecameHealthy(7), ev.RollRequested(), ev.HookEnded(1))
    assert effects == (ev.SpawnBeside(8000),)
    asked, effects = told(asked, ev.Spawned(8), ev.BecameReady(8))
    assert effects == (ev.Terminate(7), ev.RunHook(Hook.POST_START, 2, 8))
    asked, effects = told(asked, ev.Exited(7, signal=15), ev.HookEnded(2))
    assert (asked.state, asked.pid, asked.hook, effects) == (S.RUNNING, 8, None, ()), "the service did not stop"


def test_a_successor_whose_pre_start_fails_is_none() -> None:
    web, _ = told(RUNNING, ev.RollRequested())
    failed, effects = told(web, ev.HookEnded(1, "ended with exit code 1"))
    assert (failed.beside, text_of(failed.roll_trouble), effects) == (None, "pre_start ended with exit code 1", ())
    late, effects = told(web, ev.DeadlinePassed(), now=130.0)
    assert (late.beside, text_of(late.roll_trouble), effects) == (
        None, "pre_start was not done within 30 s", (ev.EndHook(1),)
    )  # fmt: skip


def test_what_ends_the_service_ends_the_pre_start_of_its_successor() -> None:
    web, _ = told(having(RUNNING, Hook.PRE_START), ev.RollRequested())
    stopped, effects = told(web, ev.StopRequested())
    assert (stopped.state, stopped.beside, effects) == (S.TERMINATING, None, (ev.EndHook(1), ev.Terminate(7)))
    crashed, effects = told(web, ev.Exited(7, code=1))
    assert (crashed.state, crashed.beside) == (S.PREPARING, None)
    assert effects == (ev.EndHook(1), ev.RunHook(Hook.PRE_START, 2))
    lost, effects = told(web, ev.LockLost(8000, "deleted"))
    assert (lost.state, effects) == (S.KILLING, (ev.Kill(7), ev.EndHook(1)))


def test_a_roll_waits_for_the_hook_that_runs() -> None:
    web = replace(RUNNING, hook=HookRun(Hook.POST_START, 5, 90.0, 120.0, 7))
    assert told(web, ev.RollRequested()) == (web, ())
    handed, _ = told(having(RUNNING, Hook.POST_START), ev.RollRequested(), ev.Spawned(8), ev.BecameReady(8))
    assert handed.beside is not None
    assert handed.beside.role is Role.LEAVING
    crashed, effects = told(handed, ev.Exited(8, code=1))
    assert (crashed.pid, effects) == (7, (ev.EndHook(1),))


# What they are told


def test_a_hook_is_told_what_is_known() -> None:
    assert facts(WAITING, Hook.PRE_START, None, "") == {"PORTSUP_HOOK": "pre_start"}
    stopping = replace(RUNNING, reason="stop requested")
    assert facts(stopping, Hook.PRE_STOP, 7, "stop requested") == {
        "PORTSUP_HOOK": "pre_stop", "PORTSUP_PID": "7", "PORTSUP_REASON": "stop requested"
    }  # fmt: skip
    crashed, _ = told(RUNNING, ev.Exited(7, signal=9))
    assert facts(crashed, Hook.POST_STOP, 7, text_of(crashed.reason)) == {
        "PORTSUP_HOOK": "post_stop", "PORTSUP_PID": "7", "PORTSUP_REASON": "signal 9 (SIGKILL)",
        "PORTSUP_RESULT": "signal", "PORTSUP_EXIT_CODE": "137",
    }  # fmt: skip
    unborn, _ = told(replace(preparing(), exit_code=3), ev.HookEnded(1, "ended with exit code 1"))
    assert facts(unborn, Hook.POST_STOP, None, text_of(unborn.reason)) == {
        "PORTSUP_HOOK": "post_stop", "PORTSUP_REASON": "pre_start ended with exit code 1",
        "PORTSUP_RESULT": "hook-failed",
    }  # fmt: skip
