"""What the commands of probes, hooks and `on_change` leave behind ends with them."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import SLEEPS, Live, is_alive
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

COUNT = "$$(cat {told} 2>/dev/null | wc -l)"
LEAVES = {
    "in its session": "sleep 1000 & echo $$! >> {told}",
    "elsewhere": f"n={COUNT}; setsid env -i sh -c 'echo $$$$ >> {{told}}; exec sleep 1000' &"
    f" while [ {COUNT} -le $$n ]; do sleep 0.02; done",
}


def leaving(folder: Path, how: str, then: str = "exit 0") -> list[str]:
    """A command that leaves a process behind, whose pid it notes."""
    return ["sh", "-c", f"{LEAVES[how].format(told=folder / 'told')}; {then}"]


def left(folder: Path) -> list[int]:
    """Who was left behind so far."""
    file = folder / "told"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def living(folder: Path) -> list[int]:
    """Who of them lives."""
    return [pid for pid in left(folder) if is_alive(pid)]


def serves(**more: Any) -> dict[str, Any]:
    (port,) = free_pool(1)
    return {"command": program("listens"), "pool": [port], **more}


@pytest.mark.parametrize("how", LEAVES)
@in_both_ways
def test_each_health_check_ends_with_what_it_leaves(stack: Make, how: str) -> None:
    live = stack({})
    check = {"exec": leaving(live.folder, how), "interval": "100ms"}
    live.write({"web": serves(healthcheck=check)})
    with live.up():
        eventually(lambda: len(left(live.folder)) >= 5)
        live.until("web", health="healthy", state="running", restarts=0)
        eventually(lambda: len(living(live.folder)) <= 1, within=5)
        assert live.do("stop", "web")["web"]["ok"]
        eventually(lambda: living(live.folder) == [], within=5)


@pytest.mark.parametrize("how", LEAVES)
def test_a_health_check_that_takes_too_long_ends_with_what_it_leaves(stack: Make, how: str) -> None:
    live = stack({})
    check = {"exec": leaving(live.folder, how, "sleep 1000"), "interval": "100ms", "timeout": "300ms", "retries": 1}
    live.write({"web": serves(healthcheck=check, restart="never")})
    with live.up():
        live.until("web", health="unhealthy")
        assert left(live.folder)
        eventually(lambda: len(living(live.folder)) <= 1, within=5)
        assert live.do("stop", "web")["web"]["ok"]
        eventually(lambda: living(live.folder) == [], within=5)


@pytest.mark.parametrize("how", LEAVES)
def test_the_command_that_tells_of_readiness_leaves_nobody(stack: Make, how: str) -> None:
    live = stack({})
    live.write({"web": serves(ready={"exec": leaving(live.folder, how)})})
    with live.up():
        live.until("web", state="running")
        assert left(live.folder)
        eventually(lambda: living(live.folder) == [], within=5)


@pytest.mark.parametrize("hook", ["pre_start", "post_start", "pre_stop", "post_stop"])
def test_a_hook_leaves_nobody(stack: Make, hook: str) -> None:
    live = stack({})
    live.write({"web": serves(hooks={hook: leaving(live.folder, "elsewhere")})})
    with live.up():
        live.until("web", state="running")
        if hook == "post_start":
            eventually(lambda: left(live.folder), what="what the hook leaves")
        assert live.do("stop", "web")["web"]["ok"]
        assert left(live.folder)
        eventually(lambda: living(live.folder) == [], within=5)


@pytest.mark.parametrize("how", LEAVES)
def test_a_command_of_on_change_leaves_nobody(stack: Make, how: str) -> None:
    live = stack({})
    (live.folder / "t.tmpl").write_text("{port:web}\n")
    change = {"command": leaving(live.folder, how)}
    live.write({"web": serves()}, render=[{"template": "t.tmpl", "to": "t.conf", "on_change": change}])
    with live.up():
        eventually(lambda: left(live.folder))
        eventually(lambda: living(live.folder) == [], within=5)
        assert live.rows()["web"]["state"] == "running"


def test_what_a_probe_runs_beside_is_left_alone(stack: Make) -> None:
    """Background processes of the service, also those that have left it, are none of the probe's."""
    live = stack({})
    own_daemon = f"setsid env -i sh -c 'echo $$$$ > {live.folder}/own; exec sleep 1000' &"
    script = f"{own_daemon} exec {' '.join(program('listens'))}"
    check = {"exec": leaving(live.folder, "elsewhere"), "interval": "100ms"}
    live.write({"web": {**serves(healthcheck=check), "command": ["sh", "-c", script]}, "other": SLEEPS})
    with live.up():
        eventually(lambda: len(left(live.folder)) >= 3)
        own = int((live.folder / "own").read_text())
        assert is_alive(own)
        assert _groups(live, own)


def _groups(live: Live, own: int) -> bool:
    return os.getpgid(live.rows()["web"]["pid"]) != os.getpgid(own)
