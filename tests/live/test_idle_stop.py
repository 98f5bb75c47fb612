"""Services that are stopped when nobody uses them."""

import contextlib
import os
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not())]

WITHIN = 20.0  # seconds that a client waits at most
ROUNDS = int(os.environ.get("IDLE_ROUNDS", "60"))


def idles(command: list[str], port: int, after: float = 0.3, **more: Any) -> dict[str, Any]:
    return {
        "command": command, "pool": [port], "start": "on-connect", "idle_stop": after, "idle_min_up": 0, **more,
    }  # fmt: skip


@contextlib.contextmanager
def talking(port: int) -> Iterator[socket.socket]:
    """A client that is connected."""
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
        yield client


def said(port: int, asked: bytes = b"") -> bytes:
    """What the server on a port says to a client; raises ConnectionError to one that it refuses."""
    with talking(port) as client:
        client.sendall(asked)
        return client.recv(100)


def processes(word: str) -> list[str]:
    """The processes that have a word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [path.parent.name] if word.encode() in path.read_bytes() else []
    return found


def stops(live: Live, name: str = "web") -> int:
    """How often a service was stopped because nobody used it."""
    told = [fact for fact in live.journal("service terminating") if fact["service"] == name]
    return sum((fact.get("cause") or {}).get("kind") == "unused" for fact in told)


def test_one_that_nobody_uses_stops_and_its_next_client_starts_it(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": idles(program("listens"), port)})
    with live.up("-d"):
        first = said(port)
        live.until("web", state="idle")
        second = said(port)
        assert int(second) != int(first)
        assert live.until("web", state="idle")["restarts"] == 0
        assert stops(live) == 2
        assert "nobody used it" in live.run("events", "web").stdout


def test_nobody_is_refused_or_unanswered_who_connects_around_the_deadline(stack: Make) -> None:
    (port,) = free_pool(1)
    after = 0.05
    live = stack({"web": idles(program("listens"), port, after)})
    chance = random.Random(0)
    with live.up("-d"):
        for _ in range(ROUNDS):
            assert int(said(port))
            time.sleep(after + chance.uniform(-0.01, 0.03))
        live.until("web", state="idle")
        assert stops(live) > 0


def test_a_client_that_stays_is_never_cut(stack: Make) -> None:
    """Not one that says nothing, nor one that has said all it will, and waits for its answer."""
    (port,) = free_pool(1)
    live = stack({"web": idles(program("answers_late"), port, 0.1)})
    with live.up("-d"), talking(port) as quiet, talking(port) as half:
        half.sendall(b"question\n")
        half.shutdown(socket.SHUT_WR)
        for _ in range(20):
            assert int(said(port, b"now\n")) == live.rows()["web"]["pid"]
        quiet.sendall(b"answer\n")
        assert quiet.recv(100) == half.recv(100) == b"%d\n" % live.rows()["web"]["pid"]
        quiet.close()
        half.close()
        live.until("web", state="idle")
        assert stops(live) == 1


def test_the_health_check_of_portsup_is_no_client(stack: Make) -> None:
    (port,) = free_pool(1)
    check = {"http": "/health", "interval": 0.1}
    live = stack({"web": idles(program("http_health"), port, 1.0, start="with-stack", healthcheck=check)})
    with live.up("-d"):
        live.until("web", state="running", health="healthy")
        live.until("web", state="idle")
        assert stops(live) == 1


def test_its_check_may_keep_it(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": idles(program("listens"), port, 0.2, idle_check={"exec": ["test", "-e", "may-stop"]})})
    with live.up("-d"):
        pid = int(said(port))
        asked = live.folder / "asked"
        live.write({"web": idles(program("listens"), port, 0.2, idle_check={"exec": f"sh -c 'touch {asked}; false'"})})
        assert live.run("reload").returncode == 0
        eventually(asked.exists)
        assert live.rows()["web"]["pid"] == pid
        live.write({"web": idles(program("listens"), port, 0.2, idle_check={"exec": ["true"]})})
        assert live.run("reload").returncode == 0
        live.until("web", state="idle")


def test_work_without_a_client_keeps_it(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": idles(program("works_until"), port, 0.2, idle_when={"cpu_below": "20%"})})
    with live.up("-d"):
        with talking(port):
            pass
        eventually(lambda: "busy" in live.log("web"))
        first = live.until("web", state="running")["pid"]
        (live.folder / "rest").touch()
        live.until("web", state="idle")
        assert stops(live) == 1
        assert f"{first}" in live.log("web")


def test_a_stop_by_hand_ends_the_waiting_and_a_reload_may_give_it(stack: Make) -> None:
    port, other = free_pool(2)
    web = {"command": program("listens"), "pool": [port]}
    live = stack({"web": web, "other": idles(program("listens"), other)})
    with live.up("-d"):
        pid = live.until("web", state="running")["pid"]
        live.write({"web": {**web, "idle_stop": 0.2, "idle_min_up": 0}, "other": idles(program("listens"), other)})
        assert live.run("reload").returncode == 0
        live.until("web", state="idle")
        assert int(said(port)) != pid
        live.until("web", state="idle")
        assert live.do("stop", "web")["web"]["ok"]
        with pytest.raises(ConnectionError):
            said(port)


def test_without_the_handoff_it_is_refused_with_the_reason(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port], "idle_stop": 1}})
    refused = live.run("up", "-d", "--handoff", "off")
    assert refused.returncode == 2
    assert "cannot use `idle_stop` of `web`: with `--handoff off` nobody listens on its port" in refused.stderr


def test_a_rolling_restart_that_comes_between_keeps_nobody_waiting(stack: Make, tmp_path: Path) -> None:
    (port,) = free_pool(1)
    waits = "while [ ! -e {0}/{1} ]; do sleep 0.02; done"
    ask = f"touch {tmp_path}/asked; {waits.format(tmp_path, 'answer')}"
    prepare = f"[ -e {tmp_path}/asked ] || exit 0; touch {tmp_path}/prepares; {waits.format(tmp_path, 'fail')}; exit 1"
    hooks = {"pre_start": ["sh", "-c", prepare]}
    live = stack({"web": idles(program("listens"), port, 0.1, idle_check={"exec": ["sh", "-c", ask]}, hooks=hooks)})
    with live.up("-d"), ThreadPoolExecutor(1) as pool:
        first = said(port)
        eventually((tmp_path / "asked").exists, within=WITHIN, what="the question whether it may stop")
        rolling = pool.submit(live.run, "restart", "--rolling", "web")
        eventually((tmp_path / "prepares").exists, within=WITHIN, what="the pre_start of the next process")
        (tmp_path / "answer").touch()
        eventually(lambda: not processes(str(tmp_path / "answer")), within=WITHIN, what="an end of the question")
        assert [said(port) for _ in range(3)] == [first] * 3
        (tmp_path / "fail").touch()
        assert rolling.result().returncode == 1
        assert int(said(port)) > 0
        live.until("web", state="idle")
