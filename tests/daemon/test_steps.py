"""What is said of each step of a service: to people in words, to the journal as an event."""

from pathlib import Path

import pytest

from supervisor.config.spec import ServiceSpec
from supervisor.core import events as ev
from supervisor.core import journal
from supervisor.core.journal import PortSkipped
from supervisor.core.reasons import Held, facts_of
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import Service, step
from supervisor.core.state import Health, Milestone, Result, State, Then
from supervisor.daemon.console.steps import event_of, listening_of
from supervisor.dataclass import replace
from supervisor.words.console import table, words_of
from supervisor.words.failures import failure
from supervisor.words.reasons import text_of

SPEC = ServiceSpec("web", ("serve", "--fast"), (8000, 8001), working_dir=Path("/srv"), port_env="WEB_PORT")
WEB = Service("web", (8000, 8001), RestartPolicy(delay=0.5))
STARTING = replace(WEB, state=State.STARTING, port=8000, pid=7, deadline=30.0)
RUNNING = replace(WEB, state=State.RUNNING, port=8000, pid=7, ready_since=0.0)
LATER = "portsup restarts it after a delay"


def said(before: Service, event: ev.Event, now: float = 5.0) -> tuple[str, str]:
    """Level and words for what an event makes of a service."""
    after, _ = step(before, event, now)
    happened = event_of(before, after, SPEC, 0.25)
    assert happened is not None
    return happened.level, words_of(happened)


@pytest.mark.parametrize(
    ("before", "event", "level", "words"),
    [
        (STARTING, ev.BecameReady(7), "info", "ready on port 8000 after 0.2 s"),
        (RUNNING, ev.Exited(7, signal=9), "warning", "signal 9 (SIGKILL); portsup restarts it"),
        (RUNNING, ev.Exited(7, code=2), "warning", "exit code 2; portsup restarts it"),
        (STARTING, ev.Exited(7, code=2), "warning", "exit code 2 before it was ready; " + LATER),
        (RUNNING, ev.Exited(7, code=0), "info", "ended, exit code 0"),
        (RUNNING, ev.Exited(7, code=1, intruder="held by `node`"), "warning", "leaves port 8000: held by `node`"),
        (RUNNING, ev.Intruded(7, "held by `node`"), "warning", "held by `node`"),
        (RUNNING, ev.CheckFailed(7, "GET / x"), "warning", "unhealthy: GET / x"),
        (RUNNING, ev.MainExited(7, code=0), "warning", "exit code 0, and left processes behind: portsup kills them"),
    ],
)
def test_words_for_what_happens(before: Service, event: ev.Event, level: str, words: str) -> None:
    assert said(before, event) == (level, words)


def test_a_stop_is_told_when_it_is_done_and_when_it_takes_too_long() -> None:
    ending, _ = step(RUNNING, ev.StopRequested(), 0.0)
    assert said(RUNNING, ev.StopRequested()) == ("info", ""), "the beginning is for the journal only"
    assert said(ending, ev.Exited(7, code=0)) == ("info", "stopped")
    assert said(ending, ev.DeadlinePassed(), 10.0) == ("warning", "did not end within its grace period of 10 s: killed")
    hurried, _ = step(ending, ev.StopRequested(2.0), 1.0)
    assert said(hurried, ev.DeadlinePassed(), 3.0) == ("warning", "did not end within its grace period of 2 s: killed")
    assert said(hurried, ev.KillRequested()) == ("info", ""), "whoever asked for that knows"
    assert said(hurried, ev.LockLost(8000, "deleted")) == ("warning", ""), "the last words of the stack say why"


def test_a_rotation_that_was_asked_for_says_so() -> None:
    moving = replace(RUNNING, state=State.TERMINATING, then=Then.MOVE, reason="rotation requested", deadline=10.0)
    assert said(moving, ev.Exited(7, code=0)) == ("warning", "leaves port 8000: rotation requested")


def test_a_restart_without_delay_that_does_not_change_the_state_is_told_too() -> None:
    at_once = replace(STARTING, policy=RestartPolicy(delay=0))
    assert said(at_once, ev.Exited(7, code=1)) == ("warning", "exit code 1 before it was ready; portsup restarts it")


def test_that_a_service_listens_is_told_where_that_makes_it_ready() -> None:
    silent = replace(STARTING, reached=Milestone.STARTED, is_ready_by_listening=True)
    ready, _ = step(silent, ev.BeganListening(7), 1.0)
    told = listening_of(silent, ready)
    assert told == journal.ServiceListens(service="web", state="starting", port=8000, pid=7)
    assert listening_of(ready, ready) is None
    assert listening_of(STARTING, step(STARTING, ev.BecameReady(7), 1.0)[0]) is None


def test_unhealthy_is_said_once_for_a_service_that_is_not_restarted() -> None:
    calm = replace(RUNNING, policy=RestartPolicy(Restart.NEVER))
    sick, _ = step(calm, ev.CheckFailed(7, "x"), 0.0)
    assert said(calm, ev.CheckFailed(7, "x")) == ("warning", "unhealthy: x")
    still, _ = step(sick, ev.CheckFailed(7, "x"), 0.0)
    assert still.health is Health.UNHEALTHY
    assert event_of(sick, still, SPEC, None) is None


@pytest.mark.parametrize(
    ("result", "reason", "words"),
    [
        (Result.SPAWN_FAILED, "no such program", ["cannot start: no such program"]),
        (Result.DEPENDENCY, "it depends on `db`, which failed", ["does not start: it depends on `db`"]),
        (Result.START_LIMIT, "exit code 1, after 3 restarts", ["gave up: exit code 1", "`serve --fast` in /srv"]),
        (Result.UNHEALTHY, "unhealthy: x", ["gave up: unhealthy: x", "`portsup start web`"]),
        (Result.EXIT_CODE, "exit code 3", ["failed: exit code 3", "`serve --fast` in /srv", "`portsup logs web`"]),
        (Result.TIMEOUT, "not ready within 1 s", ["failed: not ready within 1 s", "`portsup logs web`"]),
    ],
)
def test_a_failure_says_why_what_was_run_and_what_to_do(result: Result, reason: str, words: list[str]) -> None:
    text = failure(replace(WEB, state=State.FAILED, result=result, reason=reason), SPEC)
    assert [word for word in words if word not in text] == []


def test_one_that_never_listened_is_told_how_it_learns_its_port() -> None:
    once = replace(STARTING, policy=RestartPolicy(Restart.NEVER))
    late, _ = step(once, ev.DeadlinePassed(), 30.0)
    failed, _ = step(late, ev.Exited(7, signal=15), 30.1)
    text = failure(failed, SPEC)
    assert "nothing listens on port 8000" in text
    assert "make it listen on $WEB_PORT, or put {port} into its command" in text
    listening, _ = step(once, ev.BeganListening(7), 1.0)
    late, _ = step(listening, ev.DeadlinePassed(), 30.0)
    failed, _ = step(late, ev.Exited(7, signal=15), 30.1)
    assert "WEB_PORT" not in failure(failed, SPEC)
    again, _ = step(replace(failed, state=State.STARTING, never_listened=True), ev.Spawned(8), 40.0)
    assert not again.never_listened


def test_a_process_that_survives_sigkill_is_named_with_its_pid() -> None:
    survivor = replace(WEB, state=State.FAILED, result=Result.TIMEOUT, reason="still alive after SIGKILL", pid=7)
    assert failure(survivor, SPEC) == (
        "process 7 is still alive after SIGKILL; its port stays reserved,"
        " and `portsup start web` starts it all the same"
    )


def test_a_fallback_names_who_is_in_the_way() -> None:
    node = Held("listening", "node", 412, "ada")
    skipped = {8000: text_of(node), 8001: "exit code 1 before it was ready"}
    causes = {8000: facts_of(node) or {}}
    assert words_of(PortSkipped(service="web", port=8002, skipped=skipped, causes=causes)) == (
        "uses port 8002 (8000 is held by `node` (pid 412, user ada), 8001: exit code 1 before it was ready)"
    )


def test_a_table_is_aligned_and_has_no_blanks_at_line_ends() -> None:
    assert table([("NAME", "PORT"), ("web", "8000"), ("a-long-name", "")]) == (
        "  NAME         PORT\n  web          8000\n  a-long-name"
    )
