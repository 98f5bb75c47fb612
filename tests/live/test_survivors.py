"""Processes that portsup does not find by their marks, or may not kill."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import is_alive
from tests.live.test_backgrounded import forgetful, noted, service, told
from tests.live.test_handoff import AS_NOBODY, python_of_nobody
from tests.support.compiled import compiled
from tests.support.eventually import eventually
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

UNMARKED = "import resource; resource.setrlimit(10, (5, 5))"


@pytest.fixture(autouse=True)
def nobody_stays(tmp_path: Path) -> Iterator[None]:
    """Ends what these tests have started, should portsup not have done so."""
    yield
    for file in tmp_path.rglob("told"):
        for pid in told(file.parent):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def test_who_has_lost_even_its_mark_is_ended_because_nobody_else_can_be_missing(stack: Make) -> None:
    """The filter knows that somebody is left, and no other service misses anybody."""
    (port,) = free_pool(1)
    live = stack({})
    file = live.folder / "crash"
    wait = f"import pathlib\n    while not pathlib.Path({str(file)!r}).exists(): time.sleep(0.02)\n    os._exit(1)"
    other = {"command": ["sh", "-c", "setsid sleep 1000 & exec sleep 1000"]}
    live.write({"web": service(forgetful(live.folder, port, wait, UNMARKED), port), "other": other})
    with live.up():
        first, elsewhere = noted(live.folder, 1), live.rows()["other"]["pid"]
        file.touch()
        eventually(lambda: not is_alive(first))
        file.unlink()
        live.until("web", state="running", restarts=1)
        assert live.rows()["other"]["pid"] == elsewhere
        assert live.do("stop", "web")["web"]["ok"]
        eventually(
            lambda: not [pid for pid in told(live.folder) if is_alive(pid)]
        )  # a filter is gone before its process


def test_who_may_not_be_killed_is_named_and_keeps_nobody_from_starting(stack: Make) -> None:
    live = stack({})
    python = python_of_nobody(live.env)
    beyond = compiled("becomes_root", live.folder)
    beyond.chmod(0o4755)
    web = {"command": ["sh", "-c", f"{beyond} & wait"], "ready": {"log": "beyond"}, "handoff": "off"}
    live.write({"web": {**web, "stop_grace_period": "0.1s"}})
    for path in (live.folder, live.folder.parent):
        os.chown(path, 65534, 65534)
    live.command = lambda *words: [*AS_NOBODY[:-2], python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    pids = []
    try:
        with live.foreground() as up:
            up.says("is up")
            pids.append(int(live.log("web").split()[1]))
            stopped = live.run("stop", "web")
            assert f"pid {pids[0]} (`becomes_root`) runs as root, and portsup may not kill it" in stopped.stderr
            assert live.run("start", "web").returncode == 0
            pids.append(int(live.log("web").split()[-1]))
            assert (live.rows()["web"]["state"], pids[0] != pids[1]) == ("running", True)
            up.says(f"started although pid {pids[0]} survived SIGKILL")
            end(pids)
    finally:
        os.chown(live.runtime, 0, 0)
        end(pids)


def end(pids: list[int]) -> None:
    """Ends what only root can."""
    while pids:
        os.kill(pids.pop(), signal.SIGKILL)
