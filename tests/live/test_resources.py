"""What services use of the machine: their whole trees, and every socket that they listen on."""

import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from supervisor import system
from supervisor.api.stack import Stack
from supervisor.daemon.service.resources import measured
from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

# Listens on its port and on another one; a child burns 0.4 s of processor time, and has 64 MB.
BUSY = """
import os, socket, sys, time
servers = [socket.create_server(("127.0.0.1", int(port))) for port in (os.environ["PORT"], sys.argv[1])]
if os.fork() == 0:
    ballast = b"x" * 64_000_000
    while time.process_time() < 0.4:
        pass
    for server in servers:
        server.close()
time.sleep(1000)
"""


def test_a_service_is_its_whole_tree_with_every_socket(stack: Make) -> None:
    port, other = free_pool(2)
    live = stack({
        "busy": {"command": [sys.executable, "-c", BUSY, str(other)], "pool": [port]},
        "idle": SLEEPS, "later": {**SLEEPS, "autostart": False},
    })  # fmt: skip
    with live.up():
        resources = Stack(live.runtime / "t-1.sock").resources
        eventually(
            lambda: (resources()["busy"] or pytest.fail("no process")).cpu_s >= 0.3, what="the work of the child"
        )
        busy, idle = resources()["busy"], resources("idle")["idle"]
        assert busy is not None
        assert idle is not None
        assert busy.processes == 2
        assert 64_000_000 < busy.memory < 150_000_000, "shared pages count once"
        main = live.rows()["busy"]["pid"]
        assert [(each.host, each.port, each.pid) for each in busy.listens] == [
            ("127.0.0.1", number, main) for number in sorted((port, other))
        ]
        assert (idle.processes, idle.listens, idle.cpu_s < 0.3) == (1, (), True)
        assert resources("later") == {"later": None}
        table = live.run("status", "--resources").stdout
        assert f"127.0.0.1:{other}" in table
        told = [json.loads(line) for line in live.run("status", "--resources", "--format", "json").stdout.splitlines()]
        assert [row["name"] for row in told if row["resources"] is None] == ["later"]


def test_the_use_of_a_process_is_what_the_system_says() -> None:
    begun, used = time.process_time(), system.usage_of([])
    assert (used.cpu_s, used.memory, used.processes) == (0.0, 0, 0)
    while time.process_time() < begun + 0.05:
        pass
    used = system.usage_of([os.getpid(), 2**22 + 1])
    assert used.processes == 1, "who is gone is not counted"
    assert used.cpu_s >= time.process_time() - 0.05
    assert used.memory > 10_000_000


def test_a_look_that_would_take_too_long_is_cut_short_and_says_so() -> None:
    pids = {"large": {os.getpid(), os.getppid()}, "small": {os.getpid()}, "none": set()}
    slots: Any = [SimpleNamespace(of=name, children=lambda: [0]) for name in pids]
    for slot in slots:
        slot.replicas = [slot]

    def members(slot: Any, _: object) -> set[int]:
        return pids[slot.of]

    for within, partial in ((0.0, True), (600.0, False)):
        found = measured(slots, members, within)
        assert found["none"] is None
        small, large = found["small"] or pytest.fail("no process"), found["large"] or pytest.fail("no process")
        assert (small.partial, large.partial) == (partial, partial)
        assert (small.processes, large.processes) == (1, 2), "who they are is known at once"
        assert min(small.memory, large.memory) > 10_000_000


def test_metrics_have_every_instance_of_the_stack_and_what_happened_to_it(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}, "idle": SLEEPS}, instances={"stride": 7})
    with live.up():
        live.rotate("web")
        assert live.run("up", "-d", "--instance", "2").returncode == 0
        ran = live.run("metrics")
        assert ran.returncode == 0, ran.stderr
        found = {
            (sample.name, sample.labels["instance"], sample.labels.get("service")): sample.value
            for family in text_string_to_metric_families(ran.stdout)  # type: ignore[no-untyped-call]
            for sample in family.samples
        }
        assert (found["portsup_instance_up", "1", None], found["portsup_instance_up", "2", None]) == (1.0, 1.0)
        assert found["portsup_service_port", "1", "web"] == pool[1]
        rotations = [found["portsup_service_rotations_total", instance, "web"] for instance in ("1", "2")]
        assert rotations == [1.0, 0.0]
        assert found["portsup_service_memory_bytes", "2", "idle"] > 0
        assert "portsup_service_port" not in str([key for key in found if key[2] == "idle"])
        only = live.run("--instance", "2", "metrics").stdout
        assert 'instance="1"' not in only
        assert 'instance="2"' in only
