"""A stack on three nodes: what is said of it, how the services find each other, and what becomes of it."""

import json
import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.ray.conftest import TIMES, OnRay, server
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.processes import processes_with

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

CALLER = "import os,time; print('sees', os.environ['API'], os.environ['PORTSUP_API_URL'], flush=True); time.sleep(9e9)"


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return int(answer.status)


def test_a_stack_on_three_nodes(on_ray: OnRay, tmp_path: Path) -> None:
    (on_ray.folder / "t.conf").write_text("api={url:api}\n")
    on_ray.write(
        {
            "api": server(expose=True, place={"labels": {"n": "a"}}),
            "web": {
                "command": [sys.executable, "-c", CALLER],
                "depends_on": ["api"],
                "environment": {"API": "{url:api}"},
                "place": {"labels": {"n": "b"}},
            },
            "job": {"command": [sys.executable, "-c", "print('done')"], "one_shot": True, "depends_on": ["web"]},
        },
        name="s3",
        engine=TIMES,
        render=[{"template": "t.conf", "to": str(tmp_path / "rendered.conf")}],
    )
    started = on_ray.run("up")
    assert started.returncode == 0, started.stderr
    assert "stack `s3` instance 1 is up" in started.stderr
    assert started.stdout.splitlines()[0].split()[:4] == ["NAME", "NODE", "PORT", "STATE"]

    rows = on_ray.rows()
    assert {name: row["state"] for name, row in rows.items()} == {"api": "running", "web": "running", "job": "exited"}
    assert rows["api"]["node"] != rows["web"]["node"]
    url = rows["api"]["url"]
    assert get(url) == 200
    logs = on_ray.run("logs", "web").stdout
    assert f"sees {url} {url}" in logs
    eventually(lambda: (tmp_path / "rendered.conf").read_text() == f"api={url}\n", within=60)

    assert on_ray.run("rotate", "api").returncode == 0
    moved = on_ray.until_row("api", state="running", port=on_ray_port(rows["api"], 1))["url"]
    assert moved != url
    eventually(lambda: f"sees {moved} {moved}" in on_ray.run("logs", "web").stdout, within=120, every=1.0)

    before = on_ray.until_row("web", state="running")
    assert on_ray.run("restart", "web").returncode == 0
    after = on_ray.until_row("web", state="running")
    assert (after["epoch"], after["node"]) == (before["epoch"], before["node"])
    assert after["pid"] != before["pid"]
    events = [json.loads(line)["event"] for line in on_ray.run("events", "web", "--json").stdout.splitlines()]
    assert {"service spawned", "service stopping"} & set(events)
    os.kill(after["pid"], signal.SIGKILL)
    assert "signal 9 (SIGKILL)" in eventually(
        lambda: told if "SIGKILL" in (told := on_ray.run("why", "web").stdout) else None, within=60
    )

    again = on_ray.run("up")
    assert again.returncode == 14
    assert "it is on this cluster already" in again.stderr

    ended = on_ray.run("down")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.split() == ["job:", "stopped", "web:", "stopped", "api:", "stopped"]
    assert not processes_with("=s3.")
    gone = on_ray.run("status")
    assert gone.returncode == 4
    assert "cannot find stack `s3`" in gone.stderr


def on_ray_port(row: dict[str, object], number: int) -> int:
    pool = row["pool"]
    assert isinstance(pool, list)
    return int(pool[number]["port"])


def test_what_fails_is_told_and_the_exit_code_says_so(on_ray: OnRay) -> None:
    (port,) = free_pool(1)
    never = {"restart": "never", "ready": {"timeout": "1s"}}
    on_ray.write(
        {"bad": {"command": [sys.executable, "-c", "raise SystemExit(3)"], "pool": [port], **never}}, engine=TIMES
    )
    started = on_ray.run("up")
    assert started.returncode == 10, started.stderr
    assert "bad: failed" in started.stderr
    assert "exit code 3" in on_ray.run("why", "bad").stdout
    assert on_ray.run("status").returncode == 3


def test_a_place_that_no_node_has_is_waited_for(on_ray: OnRay) -> None:
    on_ray.write({"api": server(place={"labels": {"n": "nowhere"}})}, engine=TIMES)
    started = on_ray.run("up", "--wait-timeout", "3")
    assert started.returncode == 124
    assert "no node has room for it yet" in on_ray.run("status").stderr
    assert on_ray.run("down").returncode == 0
    on_ray.write({"api": server(place={"node": "nowhere"})}, engine=TIMES)
    refused = on_ray.run("up")
    assert "the cluster has no node `nowhere`" in refused.stderr
    assert refused.returncode == 1


def test_a_project_that_is_too_large_for_ray_is_refused(on_ray: OnRay) -> None:
    on_ray.write({"api": server()}, engine=TIMES)
    with open(on_ray.folder / "data.bin", "wb") as data:
        data.truncate(600 << 20)
    refused = on_ray.run("up")
    assert refused.returncode == 1
    assert f"cannot bring `{on_ray.folder}` to the nodes" in refused.stderr
    assert "name there what the services do not need" in refused.stderr
