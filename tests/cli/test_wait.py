"""What `wait` waits for, and what it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from supervisor.api.goals import hopeless, is_there
from supervisor.cli.commands.wait import ending, exit_code
from supervisor.control.json_form import read
from supervisor.control.status import ServiceStatus
from supervisor.errors import ExitCode
from supervisor.logs.state_dir import instance_directory
from tests.cli.conftest import Pretend, Run
from tests.support.fake_daemon import refusal, status
from tests.support.fake_daemon import row as service


def row(**facts: Any) -> ServiceStatus:
    return read(ServiceStatus, service("api", **{"reached": "ready", "health": "none", **facts}))


@pytest.mark.parametrize(
    ("goal", "facts", "there"),
    [
        ("ready", {}, True),
        ("ready", {"state": "starting", "reached": "listening"}, False),
        ("ready", {"state": "exited", "is_done": True, "one_shot": True, "pid": None}, True),
        ("ready", {"state": "exited", "is_done": True, "one_shot": False, "pid": None}, False),
        ("ready", {"state": "exited", "is_done": False, "pid": None}, False),
        ("listening", {"state": "starting", "reached": "listening"}, True),
        ("listening", {"state": "starting", "reached": "started"}, False),
        ("listening", {"state": "terminating"}, False),
        ("healthy", {"health": "healthy"}, True),
        ("healthy", {}, False),
        ("healthy", {"health": "healthy", "state": "terminating"}, False),
        ("exited", {"state": "exited", "pid": None}, True),
        ("exited", {"state": "failed", "pid": 7}, False),
        ("exited", {"state": "backoff", "pid": None}, False),
    ],
)
def test_where_a_service_is(goal: str, facts: dict[str, Any], there: bool) -> None:
    assert is_there(row(**facts), goal) is there


def test_what_cannot_come_is_not_waited_for() -> None:
    assert hopeless(row(state="failed", reason="exit code 3"), "ready") == "it has failed: exit code 3"
    assert hopeless(row(state="exited", result="exit-code"), "ready") == "it has exited"
    assert hopeless(row(), "healthy") == "it has no `healthcheck`"
    assert hopeless(row(state="failed"), "exited") == ""
    assert hopeless(row(state="backoff"), "ready") == ""


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "exited", "reason": "exit code 0"}, "exited, exit code 0"),
        ({"state": "failed", "reason": "signal 9", "exit_code": -9}, "failed, signal 9"),
        ({"state": "stopped", "exit_code": -15, "reason": "stop requested"}, "stopped, exit code 143"),
        ({"state": "stopped"}, "stopped"),
    ],
)
def test_how_a_service_ended_is_said(facts: dict[str, Any], words: str) -> None:
    assert ending(row(**facts)) == words


@pytest.mark.parametrize(("code", "state", "seen"), [(0, "exited", 0), (3, "failed", 3), (-9, "failed", 137),
                                                     (None, "failed", 10), (None, "stopped", 0)])  # fmt: skip
def test_the_exit_code_is_what_a_shell_would_see(code: int | None, state: str, seen: int) -> None:
    assert exit_code(row(exit_code=code, state=state)) == seen


@pytest.mark.live
def test_a_service_of_another_project_is_not_waited_for(run: Run, pretend: Pretend, own_folders: Path) -> None:
    pong = {"ok": True, "stack": "shop", "instance": 1}
    pretend({"ping": [pong], "watch": [status(service("api", reached="ready"))]})
    assert run("wait", "api").code == 0
    (own_folders / "services.yaml").write_text("services: {api: {command: [x]}}")
    ran = run("wait", "api", "--timeout", "0.05")
    assert ran.code == ExitCode.NOT_FOUND
    assert "none was started from" in ran.err


@pytest.mark.live
def test_why_and_events_know_the_services_of_an_instance_that_ends(run: Run, pretend: Pretend) -> None:
    pretend({"status": [refusal("it is ending")]})
    folder = Path(instance_directory("shop", 1))
    folder.mkdir(parents=True)
    (folder / "api.log").write_text("")
    (folder / "portsup.log").write_text("")
    assert run("events", "api").code == 0
    assert run("why", "api").code == 0
    assert "there are: `api`" in run("why", "xyz").err


@pytest.mark.live
def test_events_that_are_followed_are_not_held_against_the_numbers_of_an_earlier_run(
    run: Run, pretend: Pretend
) -> None:
    def event(seq: int, what: str, **more: str) -> dict[str, object]:
        return {"time": f"2026-01-01T10:00:0{seq % 10}.000Z", "seq": seq, "level": "info", "event": what, **more}

    known, new = event(2, "known", service="api"), event(3, "new", service="api")
    coming = [{"ok": True}, {"ok": True, "event": known}, {"ok": True, "event": new}, {"ok": True, "end": True}]
    pretend({"status": [status(service("api"))], "events": coming})
    folder = Path(instance_directory("shop", 1))
    folder.mkdir(parents=True)
    past = [event(900, "long-ago", service="api"), event(1, "instance-starts"), event(2, "of-another", service="db")]
    (folder / "portsup.log").write_text("".join(json.dumps(each) + "\n" for each in past))
    told = run("events", "api", "-f", "--json").out.splitlines()
    assert [json.loads(line)["event"] for line in told] == ["long-ago", "new"]
