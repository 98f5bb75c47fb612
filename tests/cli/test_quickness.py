"""What `status`, `port` and their like may import: people wait for them, and scripts call them in loops."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.instances import RunInfo
from supervisor.ports.runtime import RuntimeDir
from tests.support.fake_daemon import FakeDaemon, row, status

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
SLOW = {
    "asyncio",
    "concurrent",
    "ctypes",
    "email",
    "http",
    "importlib.metadata",
    "logging",
    "pathlib",
    "portalocker",
    "psutil",
    "random",
    "shtab",
    "shutil",
    "ssl",
    "structlog",
    "subprocess",
    "tempfile",
    "typing",
    "urllib",
    "yaml",
}
SOCKETS = {"selectors", "signal", "socket"}  # who asks the kernel for all listeners needs them
PROGRAM = """
import json, sys
before = set(sys.modules)  # what site and .pth files of this environment load is not ours
from supervisor.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


@pytest.fixture
def running(own_folders: Path) -> Iterator[FakeDaemon]:
    runtime = RuntimeDir.open()
    instance = InstanceLock.take(
        "shop",
        {"web": (6000,)},
        100,
        None,
        runtime,
        RunInfo("r-1", str(own_folders), str(own_folders / "services.yaml")),
    )
    answers = {"status": [status(row("web"))], "env": [{"ok": True, "environment": {"PORT": "6000"}, "secret": []}]}
    with FakeDaemon(Path(instance.info.socket), answers) as daemon:
        yield daemon
    instance.release()
    runtime.close()


@pytest.mark.parametrize(
    ("command", "data"),
    [
        (["status"], "NAME"),
        (["status", "--format", "json"], '{"name": "web"'),
        (["port", "web"], "6000\n"),
        (["url", "web"], "http://127.0.0.1:6000\n"),
        (["env"], "PORT=6000\n"),
        (["ls"], "STACK"),
        (["ports"], "PORT"),
        (["ports", "--all"], ""),
    ],
)
def test_quick_commands_import_nothing_slow_and_ask_once(running: FakeDaemon, command: list[str], data: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    code, imported = json.loads(ran.stderr.splitlines()[-1])
    assert code == 0
    assert ran.stdout.startswith(data)
    assert SLOW.intersection(imported) == set()
    assert command[0] == "ports" or SOCKETS.intersection(imported) == set()
    assert len(running.asked) <= 1
