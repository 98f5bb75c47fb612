"""What the tools give where nothing runs, and how results are made."""

import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from supervisor.api.project import Project
from supervisor.api.values import Event, FoundLine, Why
from supervisor.errors import ConfigError, ExitCode, NotFound, PoolExhausted, PortsupError, Problem
from supervisor.mcp.results import LONGEST_LINE, lines_of, refusal, shortened, story_of
from supervisor.mcp.toolbox import Toolbox
from supervisor.ports.port_lock import PortLock, PortTaken
from tests.support.ports import free_pool

STACK = "name: shop\nservices: {web: {command: [sleep, '9'], pool: [%d]}}\n"


@pytest.fixture
def toolbox(own_folders: Path) -> Toolbox:
    (own_folders / "services.yaml").write_text(STACK % 26000)
    return Toolbox(Project(own_folders))


def test_where_nothing_runs_every_tool_says_how_to_start(toolbox: Toolbox) -> None:
    assert toolbox.call("status", {}) == {
        "ok": True, "state": "not running", "why": "nothing runs from this directory", "services": ["web"],
        "next": "up()",
    }  # fmt: skip
    calls: dict[str, dict[str, Any]] = {
        "ports": {}, "wait": {}, "restart": {"services": ["web"]}, "rotate": {"service": "web"},
    }  # fmt: skip
    for name, given in calls.items():
        told = toolbox.call(name, given)
        assert (told["ok"], told["code"], told["next"]) == (False, "not-running", "up()"), name
    assert toolbox.call("logs", {"service": "web"})["why"] == "nothing was printed"
    assert toolbox.call("logs", {"service": "db"})["code"] == "not-found"
    assert toolbox.call("logs", {"since": "soon"})["code"] == "bad-argument"
    assert toolbox.call("why", {"service": "web"})["state"] == "not running"
    assert toolbox.call("events", {"cursor": "x"})["code"] == "usage"


def test_no_order_about_nothing_is_one_about_everything(toolbox: Toolbox) -> None:
    for name in ("stop", "restart"):
        told = toolbox.call(name, {"services": []})
        assert (told["code"], told["why"]) == ("bad-argument", f"`services` of `{name}` is empty")


def test_lines_that_are_passed_over_behind_a_cursor_are_said(toolbox: Toolbox) -> None:
    log = Path(toolbox.project.logs_directory()) / "web.log"
    log.parent.mkdir(parents=True)
    log.write_text("a\n")
    cursor = toolbox.call("logs", {"service": "web"})["cursor"]
    with log.open("a") as more:
        more.write("".join(f"{number}\n" for number in range(9)))
    told = toolbox.call("logs", {"service": "web", "cursor": cursor, "tail": 3})
    assert told["last_lines"] == ["6", "7", "8"]
    assert told["why"] == "earlier lines since the cursor are left out: ask for more by tail"
    assert "why" not in toolbox.call("logs", {"service": "web", "cursor": cursor, "tail": 9})
    assert "why" not in toolbox.call("logs", {"service": "web", "tail": 3})


def test_events_that_do_not_fit_into_one_answer_come_with_the_next_call(toolbox: Toolbox) -> None:
    journal = Path(toolbox.project.logs_directory()) / "portsup.log"
    journal.parent.mkdir(parents=True)
    line = '{"time": "2026-11-30T10:00:%02dZ", "seq": %d, "level": "info", "event": "ready", "service": "web"}\n'
    journal.write_text(line % (0, 1))
    cursor = toolbox.call("events", {})["cursor"]
    with journal.open("a") as more:
        more.write("".join(line % (number, number + 1) for number in range(1, 50)))
    first = toolbox.call("events", {"service": "web", "cursor": cursor})
    assert (len(first["events"]), first["next"]) == (40, f'events(service="web", cursor="{first["cursor"]}")')
    rest = toolbox.call("events", {"service": "web", "cursor": first["cursor"]})
    assert (len(rest["events"]), "next" in rest) == (9, False)


def test_what_the_system_lacks_is_a_result(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Project, "running", fail)
    for name in ("status", "up", "down"):
        told = toolbox.call(name, {})
        assert (told["ok"], told["code"], told["why"]) == (False, "failed", "cannot answer: too many open files")
        assert "ulimit -n" in told["hint"]
    assert toolbox.question_before("down", {}) == ""


def test_a_command_for_a_person_is_one_that_a_shell_takes_as_it_is_meant(toolbox: Toolbox) -> None:
    assert toolbox.command_for("stop", {"services": ["db", "; rm -rf ~"]}) == "portsup stop db '; rm -rf ~'"


@pytest.mark.live  # locks and sockets
def test_a_port_that_nobody_would_give_back_is_not_kept(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    (free,) = free_pool(1)
    with monkeypatch.context() as patch:
        patch.setattr("threading.Timer.start", fail)
        told = toolbox.call("lease", {"pool": str(free), "purpose": "x"})
    assert (told["code"], told["why"]) == ("failed", f"port {free} cannot be kept: can't start new thread")
    with PortLock(free):
        pass


def test_mistakes_in_the_configuration_come_with_their_places(toolbox: Toolbox, own_folders: Path) -> None:
    (own_folders / "services.yaml").write_text("services:\n  web: {comand: x}\n")
    told = toolbox.call("status", {})
    assert (told["code"], told["next"]) == ("config", "fix services.yaml, then up()")
    assert any("services.yaml:2:9" in problem for problem in told["problems"])


def test_read_only_has_no_tool_that_changes_something(own_folders: Path) -> None:
    toolbox = Toolbox(Project(own_folders), read_only=True)
    assert set(toolbox.tools) == {"status", "ports", "logs", "why", "events", "wait"}
    assert toolbox.call("down", {})["code"] == "no-such-tool"


@pytest.mark.live  # locks and sockets
def test_a_leased_port_is_nobody_elses_until_it_is_given_back(toolbox: Toolbox) -> None:
    taken, free = free_pool(2)
    with socket.create_server(("127.0.0.1", taken)):
        told = toolbox.call("lease", {"pool": f"{taken}-{taken},{free}", "purpose": "my test", "minutes": 1})
    assert (told["ok"], told["port"], told["state"]) == (True, free, "leased")
    with pytest.raises(PortTaken) as caught:
        PortLock(free).acquire()
    assert "my test" in caught.value.holder.text
    again = toolbox.call("lease", {"pool": str(free), "purpose": "x"})
    assert (again["code"], again["why"]) == ("pool-exhausted", f"port {free}: leased by this session already")
    assert toolbox.call("lease", {"pool": "80-", "purpose": "x"})["code"] == "bad-argument"
    toolbox.leases.close()
    with PortLock(free):
        pass


def test_the_last_lines_that_fit_are_shown_without_control_codes() -> None:
    lines = [FoundLine("t", "web", "stdout", f"\x1b]0;title\x07{number}" + "x" * 8) for number in range(10)]
    assert lines_of(lines, 25, prefix=False) == (["8xxxxxxxx", "9xxxxxxxx"], 8)
    assert lines_of(lines[:1], 100, prefix=True) == (["web | 0xxxxxxxx"], 0)
    assert len(shortened("x" * 100_000)) < LONGEST_LINE + 30


@pytest.mark.parametrize(
    ("error", "code", "then"),
    [
        (NotFound("a", "b"), "not-found", "status()"),
        (PoolExhausted("a", [(8100, "held by `x`")]), "pool-exhausted", "ports()"),
        (ConfigError("a", [Problem("f", 1, 2, "wrong", "do it")]), "config", "fix services.yaml, then up()"),
        (PortsupError("a"), "failed", None),
    ],
)
def test_an_error_has_a_code_and_the_call_that_mends_it(error: PortsupError, code: str, then: str | None) -> None:
    told = refusal(error)
    assert (told["ok"], told["code"], told.get("next")) == (False, code, then)


def test_a_service_that_gave_up_is_one_to_ask_about() -> None:
    error = PortsupError("cannot wait", "it has failed")
    error.exit_code = ExitCode.GAVE_UP
    assert refusal(error)["next"] == "status(), then why(service)"


def test_why_says_what_keeps_a_service_from_being_ready() -> None:
    facts: dict[str, object] = {"why": "no answer"}
    late = Event("2026-03-01T10:00:00.000Z", 3, "info", "service not ready yet", "web", "starting", facts)
    told = [story_of(Why("web", state, 0, (), (late,), (), ()), 5)["why"] for state in ("starting", "running")]
    assert told == ["is not ready yet: no answer", "nothing has gone wrong with it in this run"]
