"""Workers, nodes and the registry die or freeze: another node goes on, and never two at once."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.ray.conftest import LONG, TIMES, OnRay
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]

FAILOVERS = int(os.environ.get("RAY_FAILOVERS", "2"))


@pytest.fixture
def writer(on_ray: OnRay, tmp_path: Path) -> OnRay:
    """A stack with one service that writes, and refuses to do that after a later epoch."""
    place = {"labels": {"n": "in(a,b)"}}  # not beside the head
    service: dict[str, Any] = {
        "command": program("writer", str(tmp_path)), "pool": list(free_pool(3)), "stop_grace_period": "1s",
        "place": place,
    }  # fmt: skip
    on_ray.write({"writer": service}, name="fo", engine=TIMES)
    started = on_ray.run("up")
    assert started.returncode == 0, started.stderr
    return on_ray


def epochs(folder: Path) -> list[int]:
    return [int(line.split()[0]) for line in (folder / "epochs").read_text().splitlines()]


def pids(folder: Path) -> list[int]:
    return [int(line.split()[1]) for line in (folder / "epochs").read_text().splitlines()]


def refused(folder: Path) -> list[str]:
    return (folder / "refused").read_text().splitlines() if (folder / "refused").exists() else []


def next_epoch(folder: Path, seen: int) -> None:
    eventually(lambda: len(set(epochs(folder))) > seen, within=LONG, every=0.1, what="another epoch")


def test_a_killed_worker_costs_an_epoch_and_no_write_of_the_old_one(writer: OnRay, tmp_path: Path) -> None:
    for number in range(1, FAILOVERS + 1):
        worker, _ = writer.keeper_of(pids(tmp_path)[-1])
        os.kill(worker, signal.SIGKILL)
        next_epoch(tmp_path, number)
    assert epochs(tmp_path) == sorted(epochs(tmp_path))
    assert refused(tmp_path) == []
    assert writer.until_row("writer", state="running")["epoch"] == epochs(tmp_path)[-1]


def test_a_frozen_node_is_unknown_and_ends_its_service_before_another_has_it(writer: OnRay, tmp_path: Path) -> None:
    old = pids(tmp_path)[-1]
    worker, _ = writer.keeper_of(old)
    os.kill(worker, signal.SIGSTOP)
    try:
        row = eventually(lambda: row if (row := writer.rows()["writer"])["state"] == "unknown" else None, within=LONG)
        assert row["ready_s"] > 0
        assert "unknown (last ready" in writer.run("status").stdout
        eventually(lambda: not os.path.exists(f"/proc/{old}"), within=LONG, what="the end of the old one")
    finally:
        os.kill(worker, signal.SIGCONT)
    next_epoch(tmp_path, 1)
    assert refused(tmp_path) == []


def test_the_registry_dies_and_the_service_goes_on_or_comes_back(writer: OnRay, tmp_path: Path) -> None:
    """On a busy machine the next registry may come too late for the lease."""
    [registry] = writer.workers("Registry")
    before = writer.until_row("writer", state="running")
    os.kill(registry, signal.SIGKILL)
    eventually(lambda: writer.workers("Registry") not in ([], [registry]), within=LONG, what="another registry")
    after = writer.until_row("writer", state="running")
    assert after["epoch"] >= before["epoch"]
    assert epochs(tmp_path) == sorted(epochs(tmp_path))
    assert refused(tmp_path) == []


def test_a_killed_raylet_costs_an_epoch_and_the_old_service_ends_first(writer: OnRay, tmp_path: Path) -> None:
    """This one comes last, of this file and of all: the node does not come back."""
    _, raylet = writer.keeper_of(pids(tmp_path)[-1])
    os.kill(raylet, signal.SIGKILL)
    next_epoch(tmp_path, 1)
    assert refused(tmp_path) == []
