"""A node that is cut off: each node is in a network namespace of its own, all on one bridge."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ray.bridge import Bridge, FromHead, bridged
from tests.ray.conftest import LONG
from tests.ray.failing import Writer, is_gone, until_unknown
from tests.support.eventually import eventually
from tests.support.needed import need

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]


@pytest.fixture
def bridge(clusters: Any) -> Iterator[Bridge]:
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        pytest.skip("network namespaces take root, ip and nsenter")
    clusters.close()  # one at a time
    try:
        with bridged() as made:
            yield made
    except subprocess.CalledProcessError as error:
        need(False, "`ip netns`", f"it says {error.stderr.decode().strip()!r}")


def test_a_node_that_is_cut_off_ends_its_service_before_another_has_it(bridge: Bridge, tmp_path: Path) -> None:
    stack = FromHead(tmp_path / "project", bridge)
    writer = Writer(stack, tmp_path)
    writer.up()
    with writer.watched() as rows:
        old, before, raylet = writer.pid(), writer.epochs()[-1], writer.worker_and_raylet()[1]
        node = bridge.node_of(raylet)
        bridge.set_link(node, "down")
        writer.until_gone(old)
        assert until_unknown(rows)["ready_s"] > 0
        writer.next_epoch(before)
        bridge.set_link(node, "up")
    eventually(lambda: is_gone(raylet), within=LONG, what="the end of a raylet that the cluster has given up")

    writer.until_it_runs()
    assert writer.epochs() == sorted(writer.epochs())
    assert (writer.violations(), writer.refused()) == (0, [])
    ended = stack.run("down")
    assert ended.returncode == 0, ended.stderr
