"""A program that talks to a running stack."""

from pathlib import Path

import pytest

from supervisor import Stack
from supervisor.api.values import Address, Event, Gap, LogLine, Outcome, PortStatus
from supervisor.errors import NotFound, PortsupError
from tests.support.fake_daemon import NODE, Answer, FakeDaemon, refusal, row, status

pytestmark = pytest.mark.live  # unix sockets

RESULTS = [{"name": "web", "ok": True, "words": "running on port 6000"}]
EVENT = {
    "time": "t",
    "seq": 3,
    "level": "info",
    "event": "service ready",
    "service": "web",
    "state": "running",
    "port": 1,
}
LINE = {"time": "t", "service": "web", "stream": "stdout", "message": "hello"}


@pytest.fixture
def path(own_folders: Path) -> Path:
    return own_folders / "t.sock"


def test_the_status_has_types(path: Path) -> None:
    with FakeDaemon(path, {"status": [status(row("web", tomorrow="more"))]}) as daemon:
        (web,) = Stack(path).status("web")
    assert (web.name, web.state, web.port, web.pid, web.uptime_s) == ("web", "running", 6000, 4121, 125.4)
    assert web.pool[2] == PortStatus(6002, "taken", "held by `node` (pid 77, user ada)", NODE)
    assert daemon.asked == [{"v": 1, "do": "status", "services": ["web"]}]


def test_changes_come_until_the_instance_ends(path: Path) -> None:
    lines = [status(row("web", state="starting")), status(row("web")), {"ok": True, "end": True}]
    with FakeDaemon(path, {"watch": lines}):
        assert [rows[0].state for rows in Stack(path).changes()] == ["starting", "running"]


def test_addresses(path: Path) -> None:
    told = {"web": {"port": 6000, "host": "127.0.0.1", "url": "http://127.0.0.1:6000", "pool": [6000, 6001]}}
    with FakeDaemon(path, {"endpoints": [{"ok": True, "endpoints": told}]}):
        assert Stack(path).addresses() == {"web": Address("127.0.0.1", 6000, "http://127.0.0.1:6000", (6000, 6001))}


def test_streams_have_events_lines_and_gaps(path: Path) -> None:
    answers: dict[str, list[Answer]] = {
        "events": [{"ok": True}, {"ok": True, "event": EVENT}, {"ok": True, "gap": 7}],
        "logs": [{"ok": True}, {"ok": True, "lines": [LINE]}, {"ok": True, "gap": 2}],
    }
    with FakeDaemon(path, answers) as daemon:
        event = Event("t", 3, "info", "service ready", "web", "running", {"port": 1})
        assert list(Stack(path).events("web")) == [event, Gap(7)]
        assert list(Stack(path).logs()) == [LogLine("t", "web", "stdout", "hello"), Gap(2)]
    assert [asked["services"] for asked in daemon.asked] == [["web"], []]


def test_everything_that_changes_something_tells_how_it_went(path: Path) -> None:
    end = [{"ok": True, "progress": "web: stopped"}, {"ok": True, "end": True, "results": RESULTS}]
    verbs = ("start", "stop", "restart", "rotate", "kill", "reload", "down")
    with FakeDaemon(path, dict.fromkeys(verbs, end)) as daemon:
        stack, went = Stack(path), Outcome("web", True, "running on port 6000")
        assert stack.start("web") == stack.stop("web", timeout=2) == stack.restart("web", rolling=True) == [went]
        assert stack.kill("web", signal=1) == stack.reload() == stack.down() == [went]
        assert stack.rotate("web") == went
    arguments = [{key: value for key, value in asked.items() if key not in ("v", "do")} for asked in daemon.asked]
    assert arguments == [
        {"services": ["web"]}, {"services": ["web"], "timeout": 2}, {"services": ["web"], "rolling": True},
        {"services": ["web"], "signal": 1}, {}, {}, {"service": "web"},
    ]  # fmt: skip


def test_a_reload_can_name_the_files_to_run_with(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with FakeDaemon(path, {"reload": [{"ok": True, "end": True, "results": RESULTS}]}) as daemon:
        Stack(path).reload("services.yaml", Path("/etc/debug.yaml"))
    assert daemon.asked[0]["files"] == [str(tmp_path / "services.yaml"), "/etc/debug.yaml"]


def test_what_is_refused_is_raised(path: Path) -> None:
    with FakeDaemon(path, {"status": [refusal("cannot find service `x`", "none", "", 4)]}), pytest.raises(NotFound):
        Stack(path).status("x")
    with pytest.raises(NotFound):
        Stack(path).status()


def test_a_service_finds_its_own_stack(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTSUP_SOCKET", raising=False)
    with pytest.raises(NotFound, match="PORTSUP_SOCKET"):
        Stack()
    monkeypatch.setenv("PORTSUP_SOCKET", str(path))
    with FakeDaemon(path, {"status": [status()]}):
        assert Stack().status() == []


def test_one_that_does_not_run_is_not_found(own_folders: Path) -> None:
    with pytest.raises(PortsupError, match="none that fits"):
        Stack.find("shop")
