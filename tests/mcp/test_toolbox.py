"""What the tools give where nothing runs, and how results are made."""

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
        "ports": {}, "wait": {}, "restart": {"services": []}, "rotate": {"service": "web"},
    }  # fmt: skip
    for name, given in calls.items():
        told = toolbox.call(name, given)
        assert (told["ok"], told["code"], told["next"]) == (False, "not-running", "up()"), name
    assert toolbox.call("logs", {"service": "web"})["why"] == "nothing was printed"
    assert toolbox.call("logs", {"service": "db"})["code"] == "not-found"
    assert toolbox.call("logs", {"since": "soon"})["code"] == "bad-argument"
    assert toolbox.call("why", {"service": "web"})["state"] == "not running"
    assert toolbox.call("events", {"cursor": "x"})["code"] == "usage"


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
