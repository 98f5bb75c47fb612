"""Without the handoff programs bind for themselves: they may what the kernel lets them do, and the rest is told."""

import socket
import sys

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live
from tests.live.test_own_sockets import asked, kill
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import PROGRAMS, program

pytestmark = pytest.mark.live


def oddly(way: str) -> list[str]:
    return [sys.executable, str(PROGRAMS / "binds_oddly.py"), way]


def test_workers_with_sockets_of_their_own_do_not_notice_each_other(stack: Make) -> None:
    """One of the two shuts its own down, and makes it not block."""
    web = {"command": oddly("workers-differ"), "pool": list(free_pool(2)), "handoff": "off", "restart": "always"}
    live = stack({"web": web})
    with live.up():
        for life in (1, 2):
            eventually(lambda life=life: live.log("web").count("shut down") == life)  # type: ignore[misc]
            port = live.rows()["web"]["port"]
            assert [asked(port, "127.0.0.1").isdigit() for _ in range(20)] == [True] * 20
            if life == 1:
                kill(live, "web")


def test_a_program_connects_from_the_port_that_it_listens_on(stack: Make) -> None:
    pool = list(free_pool(2))
    live = stack({"web": {"command": oddly("dials"), "pool": pool, "handoff": "off"}})
    with live.up():
        said = eventually(lambda: lines if (lines := live.log("web").splitlines())[5:] else None)
        assert said == [f"dialled from {pool[0]}", "closed"] * 3
        assert asked(pool[0], "127.0.0.1").isdigit()


def after_a_restart(live: Live, first: int) -> int:
    """The port of a server whose connections linger on the first one."""
    with live.up():
        with socket.create_connection(("127.0.0.1", first), 10) as connection:
            while connection.recv(64):  # the server closes first: its end goes to TIME_WAIT
                pass
        assert live.do("restart", "web")["web"]["ok"]
        row = live.rows()["web"]
        assert asked(row["port"], "127.0.0.1") == str(row["pid"])
        return int(row["port"])


def test_a_server_whose_connections_linger_takes_the_next_port_and_says_why(stack: Make) -> None:
    first, second = free_pool(2)
    web = {"command": program("reuses_nothing"), "pool": [first, second]}
    live = stack({"web": {**web, "handoff": "off"}})
    assert after_a_restart(live, first) == second
    (left,) = live.journal("port left")
    assert (left["port"], left["why"]) == (first, "connections of an earlier server are still closing")


def test_with_the_handoff_it_keeps_its_port(stack: Make) -> None:
    first, second = free_pool(2)
    assert (
        after_a_restart(stack({"web": {"command": program("reuses_nothing"), "pool": [first, second]}}), first) == first
    )
