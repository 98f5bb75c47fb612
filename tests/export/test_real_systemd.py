"""The units of an export, run by a systemd that is the first process of a container."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import ROOT

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

PYTHON = os.path.realpath(sys.executable)
PLACE = "/srv/shop"
SERVES = (
    "import http.server, os\n"
    "where = ('127.0.0.1', int(os.environ['PORT']))\n"
    "http.server.ThreadingHTTPServer(where, http.server.SimpleHTTPRequestHandler).serve_forever()"
)

LATE = f"import os\nif not os.path.exists('tried'): open('tried', 'w').close(); os._exit(3)\n{SERVES}"


class Machine:
    """A machine whose root is ours with a layer above it; `folder` is on it at PLACE."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root = folder / "m"
        self.run_here("mount", "-t", "tmpfs", "tmpfs", str(folder))
        for name in ("u", "w", "m"):
            (folder / name).mkdir()
        layers = f"lowerdir=/,upperdir={folder}/u,workdir={folder}/w"
        self.run_here("mount", "-t", "overlay", "overlay", "-o", layers, str(self._root))
        self.place = self._root / PLACE.strip("/")
        self.units = self._root / "etc/systemd/system"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._first = 0

    @staticmethod
    def run_here(*words: str) -> str:
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout

    def boot(self) -> None:
        """Starts systemd; returns when it is up."""
        words = ["--register=no", "--keep-unit", "--console=read-only", "--private-network", "-b"]
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", "-D", str(self._root), *words, "systemd.unit=basic.target"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=(self.folder / "log").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._first = eventually(self._child, within=60, what="the first process")
        eventually(lambda: self.tells("systemctl", "is-system-running") in ("running", "degraded"), within=90)
        self.tells("ip", "link", "set", "lo", "up")

    def _child(self) -> int | None:
        """systemd itself; before that there are children that only prepare the machine."""
        assert self._nspawn is not None
        children = psutil.Process(self._nspawn.pid).children()
        with contextlib.suppress(psutil.NoSuchProcess):
            return next((child.pid for child in children if child.name() == "systemd"), None)
        return None

    def tells(self, *words: str) -> str:
        """What a command prints there."""
        entered = ["nsenter", "-t", str(self._first), "-m", "-u", "-i", "-n", "-p", "-C", "--", *words]
        return subprocess.run(entered, capture_output=True, text=True, timeout=120).stdout.strip()

    def show(self, unit: str, key: str) -> str:
        return self.tells("systemctl", "show", "--value", f"--property={key}", unit)

    def until(self, unit: str, state: str) -> None:
        """Waits until a unit is in this state."""

        def check() -> bool:
            found = self.show(unit, "ActiveState")
            assert found == state, self.tells("systemctl", "status", "-n", "20", unit)
            return True

        eventually(check, within=90, what=f"{unit} {state}")

    def close(self) -> None:
        """Ends the first process, and with it all others."""
        try:
            if self._nspawn is not None and self._first:
                self.tells("systemctl", "poweroff")
                try:
                    self._nspawn.wait(30)
                except subprocess.TimeoutExpired:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(self._first, 9)
                    self._nspawn.wait(30)
        finally:
            for place in (self._root, self.folder):
                subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("systemd-nspawn") is None:
        pytest.skip("it takes root and systemd-nspawn: on Debian and Ubuntu apt install systemd-container")
    if PYTHON.startswith(("/tmp/", "/run/")):
        pytest.skip("Python is in a directory that a machine of systemd-nspawn has of its own")
    folder = tmp_path / "machine"
    folder.mkdir()
    try:
        made = Machine(folder)
    except subprocess.CalledProcessError as error:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        pytest.skip(f"an overlay cannot be mounted here: {error.stderr.strip()}")
    try:
        yield made
    finally:
        made.close()


def test_the_units_start_in_order_restart_run_by_the_clock_and_stop(machine: Machine) -> None:
    db, web, second = free_pool(3)
    server = {"command": [PYTHON, "-c", SERVES], "working_dir": PLACE}
    job = {"one_shot": True, "working_dir": PLACE}
    late = {"command": [PYTHON, "-c", LATE], "ready": {"tcp": True, "timeout": "1h"}}
    services = {
        "db": {**server, "pool": [db], "ready": {"tcp": True}, "restart_policy": {"delay": "0.1s"}},
        "late": {**server, **late, "pool": [second], "restart_policy": {"delay": "0.1s"}},
        "seed": {**job, "command": ["/bin/sh", "-c", "date +%s.%N > seeded"], "depends_on": ["db"]},
        "web": {**server, "pool": [web], "depends_on": {"db": "ready", "seed": "completed_ok"}},
        "clock": {**job, "command": ["/bin/sh", "-c", "echo ran >> ran"], "schedule": "* * * * *"},
    }  # fmt: skip
    machine.place.mkdir(parents=True)
    (machine.place / "services.yaml").write_text(yaml.safe_dump({"name": "shop", "services": services}))
    file, units = str(machine.place / "services.yaml"), str(machine.units)
    ran = subprocess.run(
        [sys.executable, "-m", "supervisor", "-f", file, "export", "systemd", "--system", "-o", units],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, cwd=machine.place,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    machine.boot()
    machine.tells("systemctl", "daemon-reload")
    machine.tells("systemctl", "start", "shop.target")
    machine.until("shop-web.service", "active")

    def since(unit: str, key: str = "ActiveEnterTimestampMonotonic") -> int:
        return int(machine.show(f"shop-{unit}.service", key))

    assert since("db") <= since("seed", "ExecMainStartTimestampMonotonic")
    assert since("seed") <= since("web", "ExecMainStartTimestampMonotonic")
    assert (machine.place / "seeded").exists()

    machine.until("shop-late.service", "active")  # its first process had ended before it listened
    assert machine.show("shop-late.service", "NRestarts") == "1"

    old = machine.show("shop-db.service", "MainPID")
    machine.tells("kill", "-9", old)
    eventually(lambda: machine.show("shop-db.service", "NRestarts") == "1", within=60, what="a restart")
    eventually(lambda: machine.show("shop-db.service", "MainPID") not in ("0", old), within=60)

    machine.until("shop-db.service", "active")
    assert machine.show("shop-clock.service", "ActiveState") == "inactive"
    eventually(lambda: (machine.place / "ran").exists(), within=100, what="the clock")
    assert machine.show("shop-clock.timer", "ActiveState") == "active"

    machine.until("shop-web.service", "active")  # again, after what it needs: one stopped in its start counts as failed
    machine.tells("systemctl", "stop", "shop.target")
    for unit in ("db.service", "web.service", "seed.service", "clock.timer"):
        machine.until(f"shop-{unit}", "inactive")
