"""Services that restart when their files change."""

from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


PROBE: dict[str, Any] = {**SLEEPS, "watch": {"paths": ["probe"], "settle": "50ms", "action": {"run": "true"}}}


def changes(live: Live, service: str) -> list[dict[str, Any]]:
    return [event for event in live.journal("files changed") if event["service"] == service]


def ready(live: Live) -> None:
    """Returns once somebody watches."""

    def is_seen() -> bool:
        (live.folder / "probe/x").touch()
        return bool(changes(live, "probe"))

    eventually(is_seen)


def made(stack: Make, **services: dict[str, Any]) -> Live:
    live = stack({**services, "probe": PROBE})
    for folder in ("src", "probe"):
        (live.folder / folder).mkdir()
    return live


def test_changes_that_come_together_restart_it_once_and_no_client_is_refused(stack: Make) -> None:
    (port,) = free_pool(1)
    live = made(stack, web={"command": program("listens"), "pool": [port], "watch": {"paths": ["src"], "settle": "1s"}})
    with live.up("-d"):
        ready(live)
        pid = live.rows()["web"]["pid"]
        for number in range(20):
            (live.folder / f"src/{number}.py").write_text("x")
        eventually(lambda: live.rows()["web"]["pid"] not in (None, pid))
        row = live.until("web", state="running")
        assert (row["port"], row["restarts"], row["file_changes"]) == (port, 0, 1)
        (event,) = changes(live, "web")
        assert (event["count"], event["action"]) == (20, "restart")
        (stopped,) = [each for each in live.journal("service terminating") if each["service"] == "web"]
        assert stopped["cause"] == {"kind": "files-changed", "path": event["path"], "count": 20}


def test_a_change_during_a_start_waits_until_it_is_over(stack: Make) -> None:
    gate = "until test -e go; do sleep 0.05; done; echo ready; exec sleep 1000"
    spec = {"command": ["sh", "-c", gate], "ready": {"log": "ready"}, "watch": {"paths": ["src"], "settle": "50ms"}}
    live = made(stack, web=spec, done={**SLEEPS, "watch": {"paths": ["src"], "settle": "50ms", "action": "reload"}})
    with live.foreground():
        ready(live)
        pid = live.until("web", state="starting")["pid"]
        (live.folder / "src/a.py").write_text("x")
        eventually(lambda: changes(live, "done"))
        assert (live.rows()["web"]["pid"], changes(live, "web")) == (pid, [])
        (live.folder / "go").touch()
        eventually(lambda: live.rows()["web"]["pid"] not in (None, pid))
        live.until("web", state="running")
        assert len(changes(live, "web")) == 1


def test_a_job_runs_again_and_a_stopped_service_does_not(stack: Make) -> None:
    watch = {"paths": ["src"], "settle": "50ms"}
    live = made(
        stack, job={"command": ["echo", "ran"], "one_shot": True, "watch": watch}, web={**SLEEPS, "watch": watch}
    )
    with live.up("-d"):
        ready(live)
        live.do("stop", "web")
        (live.folder / "src/a.py").write_text("x")
        eventually(lambda: live.log("job") == "ran\nran\n")
        assert live.rows()["web"]["state"] == "stopped"
        assert changes(live, "web") == []


def test_a_path_that_is_not_there_is_told_and_the_service_goes_on(stack: Make) -> None:
    live = stack({"web": {**SLEEPS, "watch": "nowhere"}})
    with live.up("-d"):
        eventually(lambda: live.journal("watch failed"))
        (event,) = live.journal("watch failed")
        assert event["why"] == f"there is no `{live.folder / 'nowhere'}`"
        assert live.rows()["web"]["state"] == "running"
        assert "`web` watches" in live.run("doctor").stdout
