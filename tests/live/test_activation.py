"""Services that get their listening socket from the start, as systemd passes it: `handoff: systemd`."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, answer_of
from tests.live.test_programs import ANSWER, HTTP, KILLS, Case, asgi, is_missing
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.needed import need
from tests.support.ports import free_pool
from tests.support.running import program
from tests.support.thief import thief, ways_in

pytestmark = pytest.mark.live

# With the filter that the handoff uses, and on systems that have none.
WAYS = [pytest.param((), marks=pytest.mark.skipif(bool(why_not()), reason=why_not())), ("--handoff", "off")]
AT_ONCE = {"restart_policy": {"delay": 0, "max_restarts": 1000}}
HTTP_SERVER = """
import http.server, socket
server = http.server.ThreadingHTTPServer(("", 0), http.server.SimpleHTTPRequestHandler, bind_and_activate=False)
server.socket = socket.fromfd(3, socket.AF_INET, socket.SOCK_STREAM)
server.serve_forever()
"""


def given(command: Sequence[str], port: int, **more: object) -> dict[str, object]:
    return {"command": list(command), "pool": [port], "handoff": "systemd", **AT_ONCE, **more}


def kill(live: Live, name: str = "web") -> int:
    """SIGKILL the process of a service, and wait for the next one; its pid."""
    before = live.until(name, state="running")["pid"]
    os.kill(before, signal.SIGKILL)
    row = eventually(lambda: (row := live.rows()[name])["state"] == "running" and row["pid"] != before and row)
    return int(row["pid"])


@pytest.mark.parametrize("way", WAYS, ids=["filtered", "plain"])
def test_a_program_finds_its_socket_and_no_client_is_refused_over_crashes(stack: Make, way: Sequence[str]) -> None:
    (port,) = free_pool(1)
    live = stack({"web": given(program("activated"), port)})
    with live.up(*way):
        with caller(port) as calls, thief([port]) as loot:
            for _ in range(5):
                kill(live)
            live.do("restart", "web")
            answered = calls.answered
            eventually(lambda: calls.answered > answered + 1)
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert (loot.won, ways_in(port)) == ({}, [])
        assert answer_of(port) == str(live.rows()["web"]["pid"])
        assert live.rows()["web"]["handoff"] == "systemd"
        assert f"listening as web on ('127.0.0.1', {port}), True\n" in live.log("web")
        assert live.journal("port left") == []


@pytest.mark.parametrize("way", WAYS, ids=["filtered", "plain"])
def test_a_program_that_ends_at_once_keeps_its_port_as_its_socket_listens(stack: Make, way: Sequence[str]) -> None:
    (port,) = free_pool(1)
    live = stack({"web": given(["false"], port, restart_policy={"delay": 0, "max_restarts": 4})})
    live.run("up", *way)
    assert [len(live.journal(each)) for each in ("service spawned", "port left")] == [5, 0]


@pytest.mark.parametrize("way", WAYS, ids=["filtered", "plain"])
def test_who_comes_first_waits_for_the_program_and_a_stop_refuses_at_once(stack: Make, way: Sequence[str]) -> None:
    (port,) = free_pool(1)
    live = stack({"web": given(program("activated"), port, restart_policy={"delay": "1s"}), "other": SLEEPS})
    with live.up(*way):
        before = live.rows()["web"]["pid"]
        os.kill(before, signal.SIGKILL)
        live.until("web", state="backoff")
        with socket.create_connection(("127.0.0.1", port), 10) as waiting:
            assert int(waiting.recv(64)) == live.until("web", state="running")["pid"] != before
        live.do("stop", "web")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        assert ways_in(port) == []
        live.do("start", "web")
        assert answer_of(port) == str(live.rows()["web"]["pid"])


def test_its_socket_is_where_host_says_and_moves_with_the_port(stack: Make) -> None:
    pool = free_pool(3)
    web = given(program("activated"), pool[0], pool=pool, environment={"HOST": "::1"})
    live = stack({"web": web})
    with live.up():
        assert answer_of(pool[0], "::1") == str(live.rows()["web"]["pid"])
        assert live.rotate("web")["ok"]
        assert answer_of(pool[1], "::1") == str(live.rows()["web"]["pid"])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("::1", pool[0]), 1)


def test_an_address_that_is_not_of_this_machine_is_told(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": given(program("activated"), port, environment={"HOST": "192.0.2.1"})})
    up = live.run("up", "-d")
    assert up.returncode == 10
    assert f"cannot make the socket of `web`: HOST is `192.0.2.1`, port {port}: cannot assign requested" in up.stderr


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_program_that_binds_its_port_all_the_same_gets_the_socket_once_more(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": given(program("activated", "binds"), port)})
    with live.up(), caller(port) as calls:
        for _ in range(3):
            kill(live)
        answered = calls.answered
        eventually(lambda: calls.answered > answered + 1)
    assert (calls.refused, calls.late, calls.strange) == (0, 0, [])


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_who_comes_while_a_program_that_has_shut_its_socket_down_ends_is_answered_by_the_next(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": given(program("activated", "leaves"), port, restart="always")})

    def waits() -> socket.socket | None:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        return None

    with live.up():
        with socket.create_connection(("127.0.0.1", port), timeout=20) as first:
            before = int(first.recv(64))
            second = eventually(waits)
        with second:
            assert int(second.recv(64)) not in (0, before)


def gunicorn(folder: Path, port: int) -> Sequence[str]:
    return [sys.executable, "-m", "gunicorn", "-w", "2", "wsgiref.simple_server:demo_app"]


def uvicorn(folder: Path, port: int) -> Sequence[str]:
    return [word for word in asgi(folder, port, "--fd", "{fd}") if word not in ("--port", str(port))]


def as_command(*words: str) -> Callable[[Path, int], Sequence[str]]:
    return lambda folder, port: words


PROGRAMS = {
    "gunicorn": Case(gunicorn, needs=".gunicorn"),
    "uvicorn": Case(uvicorn, needs=".uvicorn"),
    "http.server": Case(as_command(sys.executable, "-c", HTTP_SERVER)),
    "node": Case(as_command("node", "-e", f"{ANSWER}.listen({{fd: +process.argv[1]}})", "{fd}"), needs="node"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_nobody_here_wrote_take_the_socket(stack: Make, own_folders: Path, name: str) -> None:
    case = PROGRAMS[name]
    need(not is_missing(case), f"`{case.needs.lstrip('.')}`", "`.ci/run` installs it")
    (port,) = free_pool(1)
    command = [str(word) for word in case.command(own_folders, port)]
    live = stack({"web": given(command, port, ready={"http": "/"})})
    with live.up():
        with caller(port, HTTP) as calls, thief([port]) as loot:
            for _ in range(KILLS):
                answered = calls.answered
                kill(live)
                eventually(lambda answered=answered: calls.answered > answered + 1)  # type: ignore[misc]
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert (loot.won, ways_in(port)) == ({}, [])
        assert live.rows()["web"]["restarts"] == KILLS
