"""Programs that install a seccomp listener of their own, and programs that listen on very many ports."""

import re
import sys

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

MANY = """\
import os, resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(900)]
print("listens", flush=True)
time.sleep(1000)
"""


def test_a_service_without_a_pool_may_have_a_filter_of_its_own(stack: Make) -> None:
    live = stack({"box": {"command": program("own_filter", "or fail"), "ready": {"log": "listener"}}})
    with live.up():
        assert live.rows()["box"]["state"] == "running"
        assert not live.journal("seccomp listener refused")
        live.do("restart", "box")
        assert live.rows()["box"]["state"] == "running"


def test_one_with_a_pool_is_told_of_handoff_off_which_helps(stack: Make) -> None:
    (port,) = free_pool(1)
    box = {
        "command": program("own_filter", "or fail"),
        "pool": [port],
        "restart": "never",
        "ready": {"log": "listener"},
    }
    live = stack({"box": box, "other": {"command": ["sleep", "1000"]}})
    up = live.run("up", "-d")
    assert up.returncode == 10
    assert "box: it installs a seccomp listener of its own, which the kernel refuses (EBUSY)" in up.stderr
    (event,) = live.journal("seccomp listener refused")
    assert "handoff: off" in event["hint"]
    why = live.run("why", "box").stdout
    assert "EBUSY" in why
    assert "set `handoff: off` for `box` in services.yaml" in why
    live.write({"box": {**box, "handoff": "off"}, "other": {"command": ["sleep", "1000"]}})
    assert live.run("reload").returncode == 0
    live.do("start", "box")
    assert live.rows()["box"]["state"] == "running"


def test_one_that_goes_on_without_is_told_so_too(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"box": {"command": program("own_filter"), "pool": [port], "ready": {"log": "."}}})
    with live.up():
        eventually(lambda: live.log("box") == "Device or resource busy\n", what="what it has said")
        assert "handoff: off" in live.run("why", "box").stdout


def test_one_that_only_asks_what_the_kernel_knows_is_told_nothing(stack: Make) -> None:
    """As libseccomp does when it is loaded: without a filter the kernel says EFAULT if it knows such descriptors."""
    (port,) = free_pool(1)
    live = stack({"box": {"command": program("own_filter", "ask"), "pool": [port], "ready": {"log": "Bad address"}}})
    with live.foreground() as up:
        up.says("is up")
        assert "EBUSY" not in up.err
        assert not live.journal("seccomp listener refused")


@pytest.mark.parametrize("stack", ["auto", "off"], indirect=True)
def test_nine_hundred_other_ports_are_one_line(stack: Make) -> None:
    command = [sys.executable, "-c", MANY]
    live = stack({"web": {"command": command, "pool": list(free_pool(1)), "ready": {"log": "listens"}}})
    with live.foreground() as up:
        up.says("is up")
        up.says("instead of")
        told = [line for line in up.err.splitlines() if "instead of" in line]
        (line,) = [line for line in told if not line.startswith("waiting for")]  # as it is said where it takes long
        assert re.search(r"listens on (\d+, ){2}\d+ and \d+ others instead of ", line), "those that were there by then"
        assert len(line) < 200
        (event,) = live.journal("wrong port")
        assert len(event["elsewhere"]) <= 20
        assert len(event["elsewhere"]) <= event["count"] <= 900
        causes = [each["cause"] for each in live.journal("service not ready yet") if each["cause"]]
        assert all(len(each.get("ports", ())) <= 20 for each in causes), causes
        eventually(lambda: len(live.journal("other port bound")) < 30)
