"""Services that start when their first client connects."""

import selectors
import socket
from typing import Any

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not())]

WITHIN = 20.0  # seconds that a client waits at most


def on_connect(command: list[str], port: int, **more: Any) -> dict[str, Any]:
    return {"command": command, "pool": [port], "start": "on-connect", **more}


def said(port: int) -> bytes:
    """What the server on a port says to a client; raises ConnectionError to one that it refuses."""
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
        return client.recv(100)


def all_said(port: int, clients: int) -> list[bytes]:
    """What the server on a port says to so many clients, all of which connect before the first one is answered."""
    answers: list[bytes] = []
    with selectors.DefaultSelector() as waiting:
        for _ in range(clients):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.register(client, selectors.EVENT_READ)
        while waiting.get_map() and (ready := waiting.select(WITHIN)):
            for key, _ in ready:
                waiting.unregister(key.fileobj)
                assert isinstance(key.fileobj, socket.socket)
                with key.fileobj as client:
                    try:
                        answers.append(client.recv(100))
                    except ConnectionError:
                        answers.append(b"refused")
    return answers


def test_the_first_client_starts_it_and_what_it_needs_and_is_answered(stack: Make) -> None:
    """Nothing of portsup itself does: not the start of the stack, `status`, `wait`, `doctor`, nor a look around."""
    port, other = free_pool(2)
    live = stack({
        "db": on_connect(program("http_health"), other, ready={"http": "/health"}),
        "web": on_connect(program("listens"), port, depends_on={"db": {"condition": "ready"}}),
    })  # fmt: skip
    with live.up("-d"):
        assert live.run("status").returncode == 0
        assert live.run("wait", "web", "--for", "ready", "--timeout", "1").returncode == 0
        live.run("doctor")
        assert {name: (row["state"], row["port"]) for name, row in live.rows().items()} == {
            "db": ("idle", other), "web": ("idle", port)
        }  # fmt: skip
        answer = said(port)
        assert int(answer) == live.until("web", state="running")["pid"]
        assert live.until("db", state="running")["pid"]
        order = [fact["service"] for fact in live.journal("service ready")]
        assert order == ["db", "web"]
        assert [fact["service"] for fact in live.journal("service called")] == ["web"]


def test_a_thousand_clients_at_once_are_all_answered(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": on_connect(program("listens"), port)})
    with live.up("-d"):
        answers = all_said(port, 1000)
        pid = b"%d\n" % live.until("web", state="running")["pid"]
    assert (len(answers), set(answers)) == (1000, {pid})


def test_one_that_ends_well_is_started_again_by_its_next_client(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": on_connect(program("http_health"), port)})
    with live.up("-d"):
        with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
            client.sendall(b"GET /exit/0 HTTP/1.0\r\n\r\n")
            client.recv(100)
        live.until("web", state="idle")
        with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
            client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            assert b" 200 " in client.recv(100)


def test_clients_of_one_that_does_not_come_up_are_refused_and_do_not_hang(stack: Make) -> None:
    late, bad = free_pool(2)
    live = stack({
        "late": on_connect(["sleep", "1000"], late, start_timeout=0.3),
        "bad": on_connect(["false"], bad, restart="never"),
        "other": SLEEPS,
    })  # fmt: skip
    with live.up("-d"):
        for port in (late, bad):
            assert all_said(port, 3) == [b"refused"] * 3
        live.until("bad", state="failed", result="exit-code")
        (refused,) = live.journal("clients refused")
        assert (refused["service"], refused["within"]) == ("late", 0.3)
        assert "refuses the clients that wait for it" in live.run("why", "late").stdout
        assert live.rows()["late"]["state"] == "starting", "`ready` says how long that may take"
        with pytest.raises(ConnectionError):
            said(bad)


def test_one_that_is_stopped_listens_no_more_and_a_start_by_hand_runs_it(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": on_connect(program("listens"), port), "other": SLEEPS})
    with live.up("-d"):
        assert live.do("stop", "web")["web"]["ok"]
        with pytest.raises(ConnectionError):
            said(port)
        assert live.do("start", "web")["web"]["ok"]
        assert int(said(port)) == live.until("web", state="running")["pid"]
        live.do("stop", "web")
        live.until("web", state="stopped")


def test_a_service_that_needs_it_wakes_it(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "db": on_connect(program("listens"), port),
        "web": {**SLEEPS, "depends_on": {"db": {"condition": "ready"}}},
    })  # fmt: skip
    with live.up("-d"):
        assert live.until("web", state="running")
        assert live.rows()["db"]["state"] == "running"


def test_a_socket_that_is_passed_waits_for_its_first_client_too(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": on_connect(program("activated"), port, handoff="systemd")})
    with live.up("-d"):
        assert live.rows()["web"]["state"] == "idle"
        assert len(set(all_said(port, 20))) == 1
        eventually(lambda: live.rows()["web"]["state"] == "running")


def test_without_the_handoff_it_is_refused_with_the_reason(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": on_connect(program("listens"), port)})
    refused = live.run("up", "-d", "--handoff", "off")
    assert refused.returncode == 2
    assert "cannot start `web` on a connection: with `--handoff off` nobody listens on its port" in refused.stderr


def test_without_the_handoff_neither_reload_nor_start_brings_a_service_that_needs_it(stack: Make) -> None:
    ports = free_pool(4)
    plain = {"command": program("listens"), "pool": [ports[0]]}
    waits = {
        "first": on_connect(program("listens"), ports[1]),
        "unused": {"command": program("listens"), "pool": [ports[2]], "idle_stop": "10m"},
        "several": {"command": program("listens"), "pool": [ports[3]], "replicas": 2},
    }
    live = stack({"plain": plain, **{name: {**each, "autostart": False} for name, each in waits.items()}})
    with live.up("--handoff", "off"):
        for name in waits:
            refused = live.run("start", name)
            assert (refused.returncode, "with `--handoff off`" in refused.stderr) == (2, True), refused.stderr
        live.write({"plain": {**plain, "start": "on-connect"}})
        refused = live.run("reload")
        assert (refused.returncode, "cannot start `plain` on a connection" in refused.stderr) == (2, True)
        live.write({"plain": plain, "new": waits["unused"]})
        refused = live.run("reload")
        assert (refused.returncode, "cannot use `idle_stop` of `new`" in refused.stderr) == (2, True)
        live.write({"plain": {**plain, "memory_cost": "1GB"}}, budget={"memory": "2GB"})
        refused = live.run("reload")
        assert (refused.returncode, "cannot keep to the `budget`" in refused.stderr) == (2, True)
        assert live.rows()["plain"]["state"] == "running"


def test_where_no_socket_can_be_handed_over_it_never_says_that_it_is_idle(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": on_connect(program("listens"), port)})
    live.env["PORTSUP_SYSTEM"] = "posix"  # as where there is none
    told = live.run("up", "-d")
    assert told.returncode == 10
    assert told.stderr.count("cannot listen for its first client") == 1
    assert "is idle" not in told.stderr
