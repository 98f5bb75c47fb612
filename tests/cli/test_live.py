"""Every command against a real daemon with real services."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.errors import ExitCode
from tests.support.eventually import eventually
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
STACK = """\
name: shop
services:
  web:
    command: [{python}, -u, -m, http.server, "{{port}}", --bind, 127.0.0.1]
    pool: {web}
    environment: {{GROQ_API_KEY: gsk-1234567}}
    stop_signal: SIGKILL
  job:
    command: [echo, prepared]
    restart: never
"""
Portsup = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pool() -> tuple[int, ...]:
    return free_pool(3)


@pytest.fixture
def portsup(own_folders: Path, pool: tuple[int, ...]) -> Iterator[Portsup]:
    """Runs commands in the folder of a stack; the stack is ended afterwards."""
    (own_folders / "services.yaml").write_text(STACK.format(python=sys.executable, web=list(pool)))

    def portsup(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "supervisor", *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=own_folders, env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    yield portsup
    portsup("down", "-t", "0")


def test_a_stack_is_looked_at_and_moved_and_ended(portsup: Portsup, pool: tuple[int, ...], own_folders: Path) -> None:
    first, second, _ = pool
    up = portsup("up", "-d")
    assert up.returncode == 0, up.stderr

    status = portsup("status", "--format", "json")
    web, job = map(json.loads, status.stdout.splitlines())
    assert status.returncode == 0
    assert (web["name"], web["state"], web["port"], web["instance"]) == ("web", "running", first, 1)
    assert [port["state"] for port in web["pool"]] == ["active", "spare", "spare"]
    assert (job["state"], job["result"], job["exit_code"], job["port"]) == ("exited", "success", 0, None)

    url = portsup("url", "web").stdout.strip()
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.status == 200

    moved = portsup("rotate", "web")
    assert moved.returncode == 0, moved.stderr
    assert portsup("port", "web").stdout == f"{second}\n"
    assert f"PORTSUP_WEB_PORT={second}" in portsup("env").stdout
    assert "gsk-1234567" not in portsup("env", "web").stdout
    assert "gsk-1234567" in portsup("env", "web", "--reveal").stdout

    leases = [json.loads(line) for line in portsup("ports", "--all", "--format", "json").stdout.splitlines()]
    assert {(lease["port"], lease["stack"], lease["service"]) for lease in leases} == {
        (port, "shop", "web") for port in pool
    }
    assert json.loads(portsup("ls", "--format", "json").stdout)["file"] == str(own_folders.resolve() / "services.yaml")
    assert "job | prepared\n" in portsup("logs", "job").stdout

    assert portsup("stop", "web").returncode == 0
    assert portsup("status", "web").returncode == ExitCode.NOT_RUNNING
    assert portsup("port", "web").returncode == ExitCode.FAILURE
    assert portsup("start", "web").returncode == 0
    assert portsup("restart", "web").returncode == 0
    assert portsup("status").returncode == 0
    assert portsup("kill", "-s", "WINCH", "web").returncode == 0
    assert portsup("stop", "nobody").returncode == ExitCode.NOT_FOUND
    assert portsup("env", "nobody").returncode == ExitCode.NOT_FOUND

    assert portsup("down").returncode == 0
    assert portsup("status").returncode == ExitCode.NOT_FOUND
    assert portsup("ports", "--all").stdout == ""
    assert "job | prepared\n" in portsup("logs", "job").stdout


def test_down_leaves_number_and_ports_free_for_the_next_up(portsup: Portsup, pool: tuple[int, ...]) -> None:
    for _ in range(3):
        assert portsup("up", "-d").returncode == 0
        assert portsup("port", "web").stdout == f"{pool[0]}\n"
        assert portsup("down").returncode == 0


def test_watching_tells_changes_as_they_come_and_ends_with_the_stack(portsup: Portsup, own_folders: Path) -> None:
    assert portsup("up", "-d").returncode == 0
    command = [sys.executable, "-m", "supervisor", "status", "--watch", "--format", "json", "web"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=own_folders, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdout is not None
        assert json.loads(watcher.stdout.readline())["state"] == "running"
        assert portsup("stop", "web").returncode == 0
        states = [json.loads(watcher.stdout.readline())["state"]]
        while states[-1] != "stopped":
            states.append(json.loads(watcher.stdout.readline())["state"])
        assert portsup("down").returncode == 0
        assert eventually(lambda: watcher.poll() is not None)
        assert watcher.returncode == ExitCode.NOT_FOUND
        assert watcher.stderr is not None
        assert "the instance has ended" in watcher.stderr.read()
