"""Services that make room for each other within a budget."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.errors import ExitCode
from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not())]

WITHIN = 60.0  # seconds that a client waits at most
HELLO = b"GET /health HTTP/1.0\r\n\r\n"


def model(port: int, **more: Any) -> dict[str, Any]:
    return {
        "command": program("http_health"), "pool": [port], "start": "on-connect", "memory_cost": "2GB",
        "start_timeout": "60s", **more,
    }  # fmt: skip


@contextlib.contextmanager
def talking(port: int) -> Iterator[socket.socket]:
    """A client that is connected, and asks nothing yet."""
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
        yield client


def answer(client: socket.socket) -> bytes:
    """What a client gets to its question; b"refused" if it is."""
    try:
        client.sendall(HELLO)
        return to_the_end(client)
    except ConnectionError:
        return b"refused"


def to_the_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(1000), b""))


def ask(port: int) -> bytes:
    try:
        with talking(port) as client:
            return answer(client)
    except ConnectionError:
        return b"refused"


def made_room(live: Live) -> list[tuple[str, str]]:
    """Who was stopped, and for whom."""
    told = [(fact["service"], fact.get("cause") or {}) for fact in live.journal("service terminating")]
    return [(name, str(cause["by"])) for name, cause in told if cause.get("kind") == "makes-room"]


def test_the_one_that_was_used_longest_ago_makes_room(stack: Make) -> None:
    ports = dict(zip("abc", free_pool(3), strict=True))
    live = stack(
        {name: model(port, command=program("listens")) for name, port in ports.items()}, budget={"memory": "4GB"}
    )  # fmt: skip
    with live.up("-d"):
        for name in "abac":  # `b` was used longest ago when there is no room for `c`
            with talking(ports[name]) as client:
                assert to_the_end(client).strip().isdigit()
            # It is used last when it becomes ready, and the daemon has heard of the end of the client when it answers.
            live.until(name, state="running")
        live.until("b", state="idle")
        assert made_room(live) == [("b", "c")]


def test_one_in_use_never_makes_room_and_whoever_waits_says_for_whom(stack: Make) -> None:
    ports = dict(zip("abc", free_pool(3), strict=True))
    live = stack({name: model(port) for name, port in ports.items()}, budget={"memory": "4GB"})
    with live.up("-d"), talking(ports["a"]) as user, talking(ports["c"]):
        for name in "ac":
            live.until(name, state="running")
        with talking(ports["b"]) as late:
            cause = {"kind": "no-room", "resource": "memory", "needs": 2 * 1024**3, "free": 0, "held_by": ["a", "c"]}
            assert live.until("b", state="waiting", cause=cause)["pid"] is None
            assert "the rest is used by `a` and `c`" in live.run("why", "b").stdout
            assert "the rest is used by `a` and `c`" in live.run("status").stderr
            assert any(fact["cause"]["held_by"] == ["a", "c"] for fact in live.journal("service waits for room"))
            assert not made_room(live)
            user.close()
            assert b" 200 " in answer(late)
            assert made_room(live) == [("a", "b")]


def test_a_client_that_waits_for_room_in_vain_is_refused_and_the_next_one_tries_again(stack: Make) -> None:
    first, second = free_pool(2)
    live = stack(
        {"a": model(first), "b": model(second, start_timeout=0.3)}, budget={"memory": "3GB", "evict": "lru"}
    )  # fmt: skip
    with live.up("-d"):
        with talking(first) as user:
            live.until("a", state="running")
            assert ask(second) in (b"refused", b"")
            live.until("b", state="idle")
            assert b" 200 " in answer(user)
        eventually(lambda: b" 200 " in ask(second), within=WITHIN)
        assert made_room(live) == [("a", "b")]


def test_a_start_by_hand_that_finds_no_room_says_who_has_it(stack: Make) -> None:
    first, second = free_pool(2)
    live = stack(
        {"a": model(first), "b": model(second, start_timeout=0.3, autostart=False, start="with-stack")},
        budget={"memory": "3GB"},
    )  # fmt: skip
    with live.up("-d"), talking(first):
        live.until("a", state="running")
        result = live.do("start", "b")["b"]
        assert not result["ok"]
        assert live.until("b", state="failed")["cause"]["held_by"] == ["a"]


def test_without_the_handoff_it_is_refused_and_says_why(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"a": {"command": ["sleep", "9"], "memory_cost": "2GB", "pool": [port]}}, budget={"memory": "4GB"})
    told = live.run("up", "-d", "--handoff", "off")
    assert told.returncode == ExitCode.USAGE
    assert "error: cannot keep to the `budget`: with `--handoff off` no service can be stopped" in told.stderr
