"""Workers, nodes and the registry die or freeze: another node goes on, and never two at once."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ray.conftest import LONG, OnRay
from tests.ray.failing import Writer, is_gone, until_unknown
from tests.support.eventually import eventually

FAILOVERS = int(os.environ.get("RAY_FAILOVERS", "2"))

pytestmark = [pytest.mark.live, pytest.mark.timeout(900 + 60 * FAILOVERS)]


@pytest.fixture
def writer(on_ray: OnRay, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Writer]:
    made = Writer(on_ray, tmp_path, pool="whole_node" not in request.node.name)
    made.up()
    yield made
    assert made.epochs() == sorted(made.epochs())
    assert made.violations() == 0
    assert made.refused() == []


def test_a_killed_worker_costs_an_epoch_and_no_write_of_the_old_one(writer: Writer) -> None:
    for _ in range(FAILOVERS):
        before = writer.epochs()[-1]
        os.kill(writer.worker_and_raylet()[0], signal.SIGKILL)
        writer.next_epoch(before)
    writer.until_it_runs()


def test_a_frozen_keeper_is_unknown_and_its_service_ends_before_another_has_it(writer: Writer) -> None:
    old, before, (worker, _) = writer.pid(), writer.epochs()[-1], writer.worker_and_raylet()
    try:
        with writer.watched() as rows:
            os.kill(worker, signal.SIGSTOP)
            assert until_unknown(rows)["ready_s"] > 0
        assert "unknown (last ready" in writer.stack.run("status").stdout
        writer.until_gone(old)
    finally:
        os.kill(worker, signal.SIGCONT)
    writer.next_epoch(before)


def test_the_registry_dies_and_the_service_goes_on_or_comes_back(writer: Writer) -> None:
    """On a busy machine the next registry may come too late for the lease."""
    [registry] = eventually(lambda: writer.stack.workers("Registry"), within=LONG, what="the registry")
    before = writer.stack.until_row("writer", state="running")
    os.kill(registry, signal.SIGKILL)
    eventually(lambda: writer.stack.workers("Registry") not in ([], [registry]), within=LONG, what="another registry")
    after = writer.stack.until_row("writer", state="running")
    assert after["epoch"] >= before["epoch"]


def test_a_killed_raylet_costs_an_epoch_and_the_old_service_ends_first(writer: Writer) -> None:
    node, before, (_, raylet) = writer.node(), writer.epochs()[-1], writer.worker_and_raylet()
    os.kill(raylet, signal.SIGKILL)
    writer.next_epoch(before)
    writer.stack.nodes.again(node)


def test_a_whole_node_freezes_and_thaws_after_another_has_its_service(writer: Writer) -> None:
    """Also the warden is frozen, so the old process is still there; when it thaws, it writes no more, and ends."""
    old, before, node = writer.pid(), writer.epochs()[-1], writer.node()
    with writer.watched() as rows, writer.frozen() as raylet:
        assert until_unknown(rows)["epoch"] == before
        writer.next_epoch(before)
        assert not is_gone(old)
    writer.until_gone(old)
    assert writer.until_it_runs() > before
    writer.until_gone(raylet)  # the cluster has given it up
    writer.stack.nodes.again(node)
    # It may have tried to write before it was ended, and was refused: that is what epochs are for.
    assert {int(line.split()[0]) for line in writer.refused()} <= {before}
    (writer.folder / "refused").unlink(missing_ok=True)


def test_the_head_dies_and_the_services_end_with_their_leases(writer: Writer) -> None:
    before = writer.epochs()
    writer.kill_head()
    writer.until_gone(writer.pid())
    assert writer.epochs() == before


def test_the_raylet_of_the_head_dies_and_the_stack_can_be_ended(writer: Writer) -> None:
    """Ray knows the stack still, and has no place for another registry."""
    stack = writer.stack
    stack.nodes.is_over = True
    os.kill(stack.nodes.raylets["head"], signal.SIGKILL)
    writer.until_gone(writer.pid())
    told = eventually(lambda: "head of the cluster is gone" in stack.run("status").stderr, within=LONG, every=1.0)
    assert told
    assert "writer" in stack.run("down", "-t", "0").stderr
    assert stack.run("status").returncode == 4


def test_everything_dies_at_once_and_the_next_cluster_has_a_later_epoch(writer: Writer, clusters: Any) -> None:
    """The wardens, which Ray does not know, end the services."""
    before = writer.epochs()
    writer.kill_everything()
    writer.until_gone(writer.pid())
    assert writer.epochs() == before
    writer.move_to(clusters.get())
    writer.up()
    assert writer.epochs()[-1] > before[-1]
    assert writer.stack.run("down").returncode == 0
