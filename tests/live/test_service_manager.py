"""What `portsup up` tells the service manager that started it, sd_notify(3)."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.process.sd_notify_socket import NotifySocket
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, notes
from tests.support.eventually import eventually
from tests.support.running import program

pytestmark = pytest.mark.live


class Manager:
    """The end of the socket that a service manager has."""

    def __init__(self, path: Path) -> None:
        self._socket = NotifySocket(str(path))
        self.address = self._socket.address
        self.heard: list[str] = []
        self.senders: set[int | None] = set()

    def hear(self) -> list[str]:
        """Every line that came by now."""
        while (datagram := self._socket.receive()) is not None:
            self.senders.add(datagram.sender)
            self.heard += datagram.data.decode().splitlines()
        return self.heard

    def until(self, line: str) -> None:
        eventually(lambda: line in self.hear(), what=f"{line!r}")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(own_folders: Path) -> Iterator[Manager]:
    made = Manager(own_folders / "manager.sock")
    yield made
    made.close()


def started(live: Live, manager: Manager, **more: str) -> "subprocess.Popen[str]":
    """`portsup up` as systemd starts it: with WATCHDOG_PID, which only the new process can know."""
    live.env |= {"NOTIFY_SOCKET": manager.address, **more}
    words = shlex.join(live.command("up"))
    return subprocess.Popen(
        ["sh", "-c", f"WATCHDOG_PID=$$ exec {words}"], cwd=live.folder, env=live.env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, text=True,
    )  # fmt: skip


def test_it_hears_status_ready_watchdog_and_stopping_from_the_process_that_it_started(
    stack: Make, manager: Manager
) -> None:
    live = stack({})
    live.write({
        "db": notes(live.folder / "notes", 0.2),
        "web": {**SLEEPS, "depends_on": ["db"]},
        "env": {"command": program("prints_environment")},
    })  # fmt: skip
    up = started(live, manager, WATCHDOG_USEC="600000")
    try:
        manager.until("READY=1")
        before = manager.heard[: manager.heard.index("READY=1")]
        assert before, "how the start goes is told"
        assert all(line.startswith("STATUS=starting: ") for line in before if line != "WATCHDOG=1")
        manager.until("STATUS=3 of 3 services are ready")
        assert list(live.rows()) == ["db", "web", "env"]
        beats = manager.hear().count("WATCHDOG=1")
        eventually(lambda: manager.hear().count("WATCHDOG=1") >= beats + 3, within=5, what="signs of life")
        live.do("stop", "web")
        manager.until("STATUS=2 of 2 services are ready")
        os.kill(up.pid, signal.SIGTERM)
        manager.until("STOPPING=1")
        assert up.wait(10) == 0
        assert "STATUS=stopping: 1 of 3 services are left" in manager.hear()
        assert (manager.heard.count("READY=1"), manager.heard.count("STOPPING=1")) == (1, 1)
        assert manager.senders == {up.pid}, "systemd believes nobody else"
        told = live.log("env")
        assert "PORTSUP_SERVICE" in told
        assert "NOTIFY_SOCKET" not in told
        assert "WATCHDOG_" not in told
    finally:
        up.kill()
        up.wait()


def test_a_start_that_fails_is_never_ready(stack: Make, manager: Manager) -> None:
    live = stack({"late": {"command": ["sleep", "1000"], "ready": {"log": "never", "timeout": "30s"}}})
    live.options_of_up = ("--wait-timeout", "0.5")
    up = started(live, manager)
    assert up.wait(20) == 124
    heard = manager.hear()
    assert "READY=1" not in heard
    assert "WATCHDOG=1" not in heard, "nobody asked for it"
    assert "STOPPING=1" in heard


def test_a_manager_that_is_gone_or_does_not_read_changes_nothing(stack: Make, manager: Manager) -> None:
    live = stack({"web": SLEEPS})
    manager.close()
    up = started(live, manager, WATCHDOG_USEC="no number")
    live.until("web", state="running")
    os.kill(up.pid, signal.SIGTERM)
    assert up.wait(20) == 0
