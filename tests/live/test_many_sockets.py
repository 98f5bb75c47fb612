"""Services that portsup finds by the kernel's table of listeners, on a machine that has thousands of them."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from supervisor import system
from supervisor.system import linux_sockets
from tests.live.conftest import Make
from tests.live.stack import answer_of, stranger
from tests.support.eventually import eventually
from tests.support.namespace import own_network
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="namespaces are of Linux")]


@pytest.fixture
def crowd() -> Iterator[None]:
    """A network in which somebody listens at very many addresses."""
    with own_network(), ExitStack() as kept:
        for number in range(linux_sockets.MANY + 100):
            address = f"127.1.{number // 250}.{1 + number % 250}"
            kept.enter_context(socket.create_server((address, 7000)))
        assert system.has_many_sockets()
        yield


@pytest.mark.usefixtures("crowd")
def test_services_come_up_restart_and_answer(stack: Make) -> None:
    listens = {"command": program("listens"), "handoff": "off"}
    pools = list(free_pool(4))
    live = stack({"web": {**listens, "pool": pools[:2]}, "api": {**listens, "pool": pools[2:], "depends_on": ["web"]}})
    with stranger(pools[0]), live.up():
        before = live.rows()
        assert [row["port"] for row in before.values()] == [pools[1], pools[2]]
        assert live.rows()["web"]["pool"][0]["state"] == "taken"
        os.kill(before["web"]["pid"], signal.SIGKILL)
        eventually(lambda: live.rows()["web"]["restarts"] == 1 and live.rows()["web"]["state"] == "running")
        for name in ("web", "api"):
            assert answer_of(live.rows()[name]["port"]) == str(live.rows()[name]["pid"])
