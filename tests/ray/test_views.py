"""What commands show of a stack on a cluster while it goes on, and what they refuse to do there."""

import contextlib
import json
import os
import signal
import sys
from queue import Empty, Queue
from typing import Any

import pytest

from tests.ray.conftest import LONG, TIMES, OnRay, server
from tests.ray.lines import lines_of, until
from tests.support.eventually import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

TALKS = (
    "import os, signal, time\n"
    "signal.signal(signal.SIGUSR1, lambda *_: print('asked', os.getpid(), flush=True))\n"
    "print('begins', os.environ.get('PORTSUP_ON', 'without'), flush=True)\n"
    "while True: time.sleep(9)"
)


def until_it_follows(lines: "Queue[str | None]", pid: int) -> None:
    """What a program has printed before is not shown with `-n 0`, and nobody says when that begins."""

    def heard() -> bool:
        os.kill(pid, signal.SIGUSR1)
        with contextlib.suppress(Empty):
            return "asked" in (lines.get(timeout=1.0) or "")
        return False

    eventually(heard, within=LONG, what="a line that is followed")


def test_lines_events_and_states_are_followed_while_they_come(on_ray: OnRay) -> None:
    on_ray.write({"talks": {"command": [sys.executable, "-c", TALKS], "place": {"labels": {"n": "a"}}}}, engine=TIMES)
    assert on_ray.run("up").returncode == 0
    row = on_ray.until_row("talks", state="running")
    with lines_of(on_ray, "logs", "-f") as lines:
        assert until(lines, "begins") == "talks | begins without"
        for _ in range(3):  # each once, also where they are all the same
            os.kill(row["pid"], signal.SIGUSR1)
            assert lines.get(timeout=LONG) == f"talks | asked {row['pid']}"
    with (
        lines_of(on_ray, "events", "-f", "--json") as events,
        lines_of(on_ray, "status", "--watch", "--format", "json") as states,
        lines_of(on_ray, "logs", "-f", "-n", "0", "talks") as lines,
    ):
        assert json.loads(until(states, '"running"'))["pid"] == row["pid"]
        until(events, "service ready")
        until_it_follows(lines, row["pid"])
        os.kill(row["pid"], signal.SIGKILL)
        until(events, "service restarts")
        until(lines, "begins")
        new = on_ray.until_row("talks", state="running", restarts=1)["pid"]
        until(states, '"running"', str(new))
        assert on_ray.run("down").returncode == 0
        assert "the instance has ended" in until(states, "cannot watch any longer")


def test_replicas_are_restarted_one_after_another_and_listed(on_ray: OnRay) -> None:
    many = server(3, replicas=2, expose=True)
    on_ray.write({"many": many}, engine=TIMES)
    assert on_ray.run("up").returncode == 0
    first = on_ray.run("status", "--replicas").stdout
    assert "running 2/2" in first
    assert {line.split()[0] for line in first.splitlines()[1:]} == {"many", "many.1", "many.2"}
    assert on_ray.run("restart", "--rolling", "many").returncode == 0
    assert "running 2/2" in on_ray.run("status", "--format", "wide").stdout


def test_what_would_be_started_is_shown_and_nothing_is(on_ray: OnRay) -> None:
    api = server(expose=True, place={"node": "a", "cpus": 1})
    services: dict[str, Any] = {"api": api, "web": server(depends_on=["api"], watch={"paths": ["."]})}
    on_ray.write(services, engine=TIMES, budget={"memory": "1GB"})
    planned = on_ray.run("up", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "this is how stack `t` instance 1 would start; nothing is started" in planned.stderr
    heads, first, second = planned.stdout.splitlines()
    assert heads.split() == ["NAME", "POOL", "PLACE", "NEEDS"]
    assert "1 cpus, node a" in first
    assert second.endswith("api ready")
    assert "`budget` has no effect on a cluster" in planned.stderr
    assert "`watch` of web has no effect on a cluster" in planned.stderr
    assert on_ray.run("status").returncode == 4
    on_ray.write({"api": server(place={"node": "nowhere"})}, engine=TIMES)
    assert "the cluster has no node `nowhere`" in on_ray.run("up", "--dry-run").stderr


def test_services_yaml_and_ray_clients_name_the_cluster(on_ray: OnRay) -> None:
    """ray:// is an address for machines that are no nodes."""
    engine = {"ray": {**TIMES["ray"], "address": on_ray.nodes.client}}
    on_ray.write({"api": server(expose=True)}, engine=engine)
    started = super(OnRay, on_ray).run("up", within=LONG)
    assert started.returncode == 0, started.stderr
    assert started.stdout.splitlines()[0].split()[:2] == ["NAME", "NODE"]
    row = on_ray.until_row("api", state="running")
    assert super(OnRay, on_ray).run("url", "api", within=LONG).stdout.strip() == row["url"]
    assert super(OnRay, on_ray).run("restart", "api", within=LONG).returncode == 0
    assert "GET" not in super(OnRay, on_ray).run("logs", "api", within=LONG).stdout
    here = super(OnRay, on_ray).run("status", "--on", "", within=LONG)
    assert "NODE" not in here.stdout
    assert super(OnRay, on_ray).run("down", within=LONG).returncode == 0
