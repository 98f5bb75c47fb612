"""What programs under the handoff may bind, and what comes of it."""

import errno
import json
import os
import shutil
import signal
import socket
from typing import Any

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, answer_of, stranger
from tests.live.test_handoff import AT_ONCE, kill
from tests.support.eventually import eventually
from tests.support.ports import free_pool, free_port
from tests.support.running import program
from tests.support.thief import ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]


def told(stack: Live, life: int = 1) -> dict[str, Any]:
    """What the process of that number, counted from 1, printed of `binds_much`."""
    lines = eventually(lambda: [line for line in stack.log("web").splitlines() if line.startswith("{")][life - 1 :])
    found: dict[str, Any] = json.loads(lines[0])
    return found


@pytest.mark.parametrize(
    ("way", "hosts", "names"),
    [
        ("families", ["127.0.0.1", "::1"], ["127.0.0.1", "::1"]),
        ("wildcards", ["127.0.0.1", "::1"], ["0.0.0.0", "::"]),
        ("dual", ["127.0.0.1", "::1"], ["::"]),
        ("mapped", ["127.0.0.1"], ["::ffff:127.0.0.1"]),
        ("thread", ["127.0.0.1"], ["127.0.0.1"]),
        ("worker", ["127.0.0.1"], ["next worker"]),
        ("options", ["127.0.0.1"], ["127.0.0.1", "again"]),
        ("probes", ["127.0.0.1"], ["probe", "real"]),
    ],
)
def test_a_program_may_bind_in_its_own_way_and_do_so_again_after_a_crash(
    stack: Make, way: str, hosts: list[str], names: list[str]
) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("binds_much", way), "pool": [port], **AT_ONCE}})
    with live.up():
        for life in (1, 2, 3):
            found = told(live, life)
            assert [name for name in names if not isinstance(found[name], dict)] == []
            assert {found[name]["port"] for name in names} == {port}
            for host in hosts:
                socket.create_connection((host, port), 5).close()
            assert ways_in(port) == []
            kill(live, "web")


def test_the_options_of_the_programs_own_socket_are_kept(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("binds_much", "options"), "pool": [port], **AT_ONCE}})
    with live.up():
        for life in (1, 2):
            first = told(live, life)["127.0.0.1"]
            assert (first["inheritable"], first["shared"], first["nodelay"]) == (True, True, True)
            assert first["blocking"] is False
            kill(live, "web")


def test_a_look_whether_the_port_is_free_does_not_count_as_listening(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("binds_oddly", "looks-long-before"), "pool": [port], **AT_ONCE}})
    with live.foreground() as front:
        eventually(lambda: "looked" in live.log("web"), what="the look")
        assert [live.rows()["web"]["state"] for _ in range(3)] == ["starting"] * 3
        (live.folder / "go").touch()
        front.says("is up")
        assert live.log("web").split() == ["looked", "listens"]
        assert answer_of(port) == str(live.rows()["web"]["pid"])
        assert ways_in(port) == []
        assert live.journal("queue dropped") == []


@pytest.mark.parametrize("how", ["signal", "code"])
def test_a_program_that_falls_as_soon_as_it_has_answered_keeps_its_port_and_who_waits(stack: Make, how: str) -> None:
    """Each falls before it is known whether it listens for good, and the next one gets who waits meanwhile."""
    pool = free_pool(2)
    live = stack({"web": {"command": program("binds_oddly", "falls-at-once", how), "pool": list(pool), **AT_ONCE}})
    with live.up():
        assert len({answer_of(pool[0], within=20) for _ in range(9)}) == 9
        assert live.journal("port left") == []


def test_a_program_that_only_looks_whether_its_port_is_free_and_fails_leaves_that_for_the_next(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("binds_oddly", "looks-and-fails"), "pool": list(pool), **AT_ONCE}})
    with live.foreground() as front:
        assert front.ends() == 12
        assert f"leaves port {pool[0]}: exit code 3 before it was ready, 3 times in a row" in front.err


def test_a_program_that_moves_if_somebody_can_connect_to_its_port_gets_it_after_a_crash(stack: Make) -> None:
    """Once with a start in vain, without waiting until its time is over, and from then on at once."""
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("binds_oddly", "moves-if-answered"), "pool": [port], **AT_ONCE}})
    with live.up():
        for restarts in (2, 3):
            kill(live, "web")
            row = live.until("web", state="running", restarts=restarts)
            assert answer_of(port) == str(row["pid"])
        done = live.run("restart", "--rolling", "web")
        assert done.returncode == 1
        assert f"instead of {port}" in done.stderr
        assert answer_of(port) == str(row["pid"])
        assert ways_in(port) == []


def test_a_second_bind_of_an_open_socket_fails_as_in_the_kernel(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("binds_much", "twice"), "pool": [port]}})
    with live.up():
        found = told(live)
        assert found["first"]["port"] == port
        assert found["second"] == found["wildcard"] == errno.EADDRINUSE


def test_other_ports_udp_and_unix_sockets_are_let_through(stack: Make) -> None:
    (port,) = free_pool(1)
    other = free_port()
    live = stack({"web": {"command": program("binds_much", "others", str(other)), "pool": [port]}})
    with live.up():
        found = told(live)
        assert found["other"]["port"] == other
        assert found["any"]["port"] not in (0, port, other)
        assert (found["udp"], found["unix"]) == (port, True)
        assert found["not ours"] == errno.EADDRNOTAVAIL
        (event,) = live.journal("other port bound")
        assert event["port"] == other


def test_a_strict_service_gets_no_other_port(stack: Make) -> None:
    (port,) = free_pool(1)
    other = free_port()
    command = program("binds_much", "others", str(other))
    live = stack({"web": {"command": command, "pool": [port], "bind": "strict"}})
    with live.up():
        found = told(live)
        assert (found["other"], found["127.0.0.1"]["port"]) == (errno.EACCES, port)
        assert found["any"]["port"] not in (0, port)


def test_a_hard_coded_port_is_moved(stack: Make) -> None:
    (port,) = free_pool(1)
    hard = free_port()
    command = program("binds_much", "hard", str(hard))
    live = stack({"web": {"command": command, "pool": [port], "bind": "move", **AT_ONCE}})
    with stranger(hard), live.up():
        for life in (1, 2):
            found = told(live, life)
            assert (found["hard"]["port"], found["hard6"]["port"]) == (port, port)
            socket.create_connection(("127.0.0.1", port), 5).close()
            socket.create_connection(("::1", port), 5).close()
            kill(live, "web")


def test_a_program_that_listens_elsewhere_is_told_of(stack: Make) -> None:
    (port,) = free_pool(1)
    other = free_port()
    live = stack({"web": {"command": program("listens_elsewhere", str(other)), "pool": [port], "ready": {"timeout": 3},
                          "restart": "never"}, "other": SLEEPS})  # fmt: skip
    with live.foreground() as up:
        up.says(f"web: listens on {other} instead of {port}")
        live.until("web", state="failed")
        assert f"it listens on {other} instead of {port}" in live.rows()["web"]["reason"]


def test_a_restart_to_another_address_takes_the_old_ones_place(stack: Make) -> None:
    """The second process listens on the wildcard address, beneath which the first one's socket was left."""
    (port,) = free_pool(1)
    code = (
        "import os,socket,signal,time\n"
        "address = '127.0.0.1' if not os.path.exists('second') else '0.0.0.0'\n"
        "open('second', 'w').close()\n"
        "server = socket.create_server((address, int(os.environ['PORT'])))\n"
        "while True:\n    connection, _ = server.accept()\n"
        "    connection.sendall(address.encode())\n    connection.close()\n"
    )
    live = stack({"web": {"command": [shutil.which("python3"), "-c", code], "pool": [port], **AT_ONCE}})
    with live.up():
        assert answer_of(port) == "127.0.0.1"
        kill(live, "web")
        assert answer_of(port) == "0.0.0.0"


def test_a_program_that_connects_to_see_whether_its_port_is_free_comes_up_again(stack: Make) -> None:
    """Clients wait at the port until the last try: then it finds nobody there."""
    (port,) = free_pool(1)
    code = (
        "import os,socket,sys\n"
        "address = '127.0.0.1', int(os.environ['PORT'])\n"
        "with socket.socket() as trial:\n    if trial.connect_ex(address) == 0: sys.exit('in use')\n"
        "server = socket.create_server(address)\n"
        "while True:\n    server.accept()[0].close()\n"
    )
    live = stack({"web": {"command": [shutil.which("python3"), "-c", code], "pool": [port], **AT_ONCE}})
    with live.up():
        for count in (3, 6):
            os.kill(live.until("web", state="running")["pid"], signal.SIGKILL)
            live.until("web", state="running", restarts=count, port=port)
        assert live.log("web").splitlines() == ["in use"] * 4


def test_a_program_that_goes_elsewhere_when_somebody_answers_at_its_port_does_so_once(stack: Make) -> None:
    (port,) = free_pool(1)
    code = (
        "import os,socket\n"
        "address = '127.0.0.1', int(os.environ['PORT'])\n"
        "with socket.socket() as trial:\n    is_taken = trial.connect_ex(address) == 0\n"
        "server = socket.create_server(('127.0.0.1', 0) if is_taken else address)\n"
        "while True:\n    server.accept()[0].close()\n"
    )
    service = {"command": [shutil.which("python3"), "-c", code], "pool": [port], "ready": {"timeout": "3s"}, **AT_ONCE}
    live = stack({"web": service})
    with live.up():
        os.kill(live.until("web", state="running")["pid"], signal.SIGKILL)
        live.until("web", state="running", restarts=2, port=port)
