"""The commands that change something: what they ask for, what they say, how they end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli import target
from supervisor.cli.commands import down
from supervisor.errors import ExitCode
from tests.cli.conftest import Pretend, Run
from tests.support.fake_daemon import FakeDaemon, refusal

pytestmark = pytest.mark.live

DONE = {"ok": True, "end": True, "results": []}


def done(*results: tuple[str, bool, str]) -> dict[str, Any]:
    return DONE | {"results": [{"name": name, "ok": ok, "words": words} for name, ok, words in results]}


@pytest.mark.parametrize(
    ("line", "request_sent"),
    [
        (["start", "web", "db"], {"do": "start", "services": ["web", "db"]}),
        (["stop", "web"], {"do": "stop", "services": ["web"]}),
        (["stop", "-t", "0", "web"], {"do": "stop", "services": ["web"], "timeout": 0.0}),
        (["restart", "web", "--timeout", "2m"], {"do": "restart", "services": ["web"], "timeout": 120.0}),
        (["rotate", "web"], {"do": "rotate", "service": "web"}),
        (["kill", "web"], {"do": "kill", "services": ["web"], "signal": 9}),
        (["kill", "-s", "hup", "web", "db"], {"do": "kill", "services": ["web", "db"], "signal": 1}),
        (["kill", "-s", "SIGUSR1", "web"], {"do": "kill", "services": ["web"], "signal": 10}),
        (["kill", "-s", "15", "web"], {"do": "kill", "services": ["web"], "signal": 15}),
        (["kill", "-s", "rtmin+3", "web"], {"do": "kill", "services": ["web"], "signal": 37}),
        (["kill", "-s", "37", "web"], {"do": "kill", "services": ["web"], "signal": 37}),
    ],
)
def test_a_command_is_one_request(line: list[str], request_sent: dict[str, Any], pretend: Pretend, run: Run) -> None:
    daemon = pretend({line[0]: [DONE]})
    assert run(*line) == (0, "", "")
    assert daemon.asked == [{"v": 1} | request_sent]


def test_progress_and_results_are_words(pretend: Pretend, run: Run) -> None:
    pretend({"stop": [{"ok": True, "progress": "waiting for web"}, done(("web", True, "stopped"))]})
    assert run("stop", "web") == (0, "", "waiting for web\nweb: stopped\n")


def test_a_reload_that_had_to_wait_first_says_all_the_same_what_has_changed(pretend: Pretend, run: Run) -> None:
    changed = {"name": "web", "keys": ["environment"], "restarts": True}
    difference = {"added": [], "removed": [], "changed": [changed], "top": []}
    waits = {"ok": True, "waiting": []}
    pretend({"reload": [waits, {"ok": True, "difference": difference}, done(("web", True, "running"))]})
    assert run("reload") == (0, "changed  web: environment (restarts)\n", "web: running\n")


def test_a_result_that_was_told_as_progress_is_not_told_again(pretend: Pretend, run: Run) -> None:
    pretend({"start": [{"ok": True, "progress": "web: running"}, done(("web", True, "running"))]})
    assert run("start", "web") == (0, "", "web: running\n")


def test_one_that_did_not_work_is_an_error(pretend: Pretend, run: Run) -> None:
    pretend({"stop": [done(("web", True, "stopped"), ("db", False, "still there after SIGKILL"))]})
    assert run("stop", "web", "db") == (1, "", "web: stopped\nerror: db: still there after SIGKILL\n")


def test_a_refusal_is_told_with_its_exit_code(pretend: Pretend, run: Run) -> None:
    pretend({"rotate": [refusal("cannot rotate `web`", "no port is left", "give it more", 12)]})
    ran = run("rotate", "web")
    assert ran == (12, "", "error: cannot rotate `web`: no port is left\n\nhint: give it more\n")


def test_a_daemon_that_ends_in_the_middle_is_told(pretend: Pretend, run: Run) -> None:
    pretend({"restart": [{"ok": True, "progress": "stopping web"}]})
    ran = run("restart", "web")
    assert ran.code == ExitCode.NOT_FOUND
    assert "it ended the connection first" in ran.err


@pytest.mark.parametrize("line", [["start"], ["stop"], ["restart"], ["kill"], ["rotate"]])
def test_a_command_without_a_service_does_nothing(line: list[str], pretend: Pretend, run: Run) -> None:
    daemon = pretend({})
    assert run(*line).code == ExitCode.USAGE
    assert daemon.asked == []


def test_down_in_another_project_ends_nothing(
    pretend: Pretend, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services.yaml").write_text("services: {}\n")
    monkeypatch.chdir(tmp_path)
    daemon = pretend({"down": [DONE], "status": [refusal("no")]})
    ran = run("down")
    assert ran.code == ExitCode.NOT_FOUND
    assert "none was started from" in ran.err
    assert daemon.asked == []
    assert "warning: no instance of this directory is running; using `shop` instance 1" in run("status").err


@pytest.fixture
def ending(pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeDaemon]:
    """An instance that is no longer found once its answer to `down` was sent."""

    def ending(*lines: dict[str, Any]) -> FakeDaemon:
        found = target.instances

        def answer(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
            monkeypatch.setattr(down, "instances", lambda: [])
            yield from lines

        monkeypatch.setattr(down, "instances", lambda: found())
        return pretend({"down": answer})

    return ending


def test_down_returns_when_the_instance_is_gone(ending: Callable[..., FakeDaemon], run: Run) -> None:
    daemon = ending({"ok": True, "progress": "stopping web"}, DONE)
    assert run("down", "-t", "3") == (0, "", "stopping web\n")
    assert daemon.asked == [{"v": 1, "do": "down", "timeout": 3.0}]


def test_down_of_a_daemon_that_is_gone_before_its_last_word_has_worked(
    ending: Callable[..., FakeDaemon], run: Run
) -> None:
    ending({"ok": True, "progress": "stopping web"})
    assert run("down").code == 0


def test_down_tells_when_the_instance_stays(pretend: Pretend, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "_ENDING", 0.05)
    pretend({"down": [DONE]})
    monkeypatch.setattr(down, "instances", target.instances)
    ran = run("down")
    assert ran.code == ExitCode.FAILURE
    assert "its process (pid 77) still holds the instance" in ran.err
