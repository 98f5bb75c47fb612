"""What SIGKILL does not end."""

from supervisor.core import events as ev
from supervisor.core.service import Service, step
from supervisor.core.state import Milestone, Result, State
from supervisor.words.reasons import text_of


def running() -> Service:
    """A service that is ready."""
    return Service("web", (8000, 8001), state=State.RUNNING, port=8000, pid=7, reached=Milestone.READY, ready_since=0.0)


def test_a_process_that_survives_sigkill_leaves_the_service_failed_with_its_pid() -> None:
    web, _ = step(running(), ev.KillRequested(), 0.0)
    web, _ = step(web, ev.DeadlinePassed(), 5.0)
    assert (web.state, web.pid, web.result) == (State.FAILED, 7, Result.TIMEOUT)
    assert text_of(web.reason) == "still alive after SIGKILL"
    web, _ = step(web, ev.Exited(7, signal=9), 7.0)
    assert (web.state, web.pid) == (State.FAILED, None)


def test_who_survives_is_named() -> None:
    web, _ = step(running(), ev.KillRequested(), 0.0)
    web, _ = step(web, ev.Survived(8, "a process of somebody else"), 1.0)
    web, _ = step(web, ev.Survived(7, "pid 9 (`sudo`) runs as root"), 1.0)
    web, _ = step(web, ev.DeadlinePassed(), 5.0)
    assert text_of(web.reason) == "pid 9 (`sudo`) runs as root"
    web, _ = step(web, ev.StartRequested(), 6.0)
    assert web.survivor == ""


def test_a_service_that_has_a_survivor_can_be_started() -> None:
    web, _ = step(running(), ev.KillRequested(), 0.0)
    failed, _ = step(web, ev.DeadlinePassed(), 5.0)
    web, effects = step(failed, ev.StartRequested(), 6.0)
    assert (web.state, effects) == (State.KILLING, (ev.Kill(7),))
    gone, effects = step(web, ev.Exited(7, signal=9), 6.1)
    assert (gone.state, effects) == (State.STARTING, (ev.Spawn(8000),)), "it is gone by now"
    web, effects = step(web, ev.DeadlinePassed(), 11.0)
    assert effects == (ev.Abandon(7),), "it is not"
    web, effects = step(web, ev.Exited(7), 11.0)
    assert (web.state, effects) == (State.STARTING, (ev.Spawn(8000),))
    taken, _ = step(failed, ev.RestartRequested(), 6.0)
    taken, _ = step(taken, ev.DeadlinePassed(), 11.0)
    taken, effects = step(taken, ev.Exited(7, intruder="held by `sudo`"), 11.0)
    assert effects[0] == ev.QuarantinePort(8000, "held by `sudo`"), "the port of the one, if that has it"
