"""Streams of events and log lines, and the commands that are made of them, on a stack that runs."""

import json
import os
import shlex
import signal
import socket
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


LINES = 60_000  # of 16 bytes each: far more than may wait for a reader


class Reader:
    """A connection to the daemon that reads when it is told to."""

    def __init__(self, live: Live, do: str, **arguments: Any) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(20)
        self._socket.connect(os.fspath(live.runtime / "t-1.sock"))
        self._socket.sendall(json.dumps({"v": 1, "do": do, **arguments}).encode() + b"\n")
        self._lines = self._socket.makefile("rb")
        assert self.next() == {"ok": True}

    def next(self) -> dict[str, Any]:
        line = self._lines.readline()
        assert line, "the connection has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def until(self, event: str) -> dict[str, Any]:
        while (found := self.next()["event"])["event"] != event:
            pass
        told: dict[str, Any] = found
        return told

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def test_events_come_as_they_happen_with_numbers_without_gaps(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}, "job": SLEEPS})
    with live.up():
        reader = Reader(live, "events")
        only_job = Reader(live, "events", services=["job"])
        os.kill(live.rows()["web"]["pid"], signal.SIGKILL)
        first = reader.until("service restarts")
        assert (first["service"], first["exit_code"], first["restarts"]) == ("web", -9, 1)
        ready = reader.until("service ready")
        assert (ready["service"], ready["state"], ready["port"]) == ("web", "running", pool[0])
        live.do("stop", "job")
        assert only_job.next()["event"]["service"] == "job"
        reader.close()
        only_job.close()
    told = [json.loads(line) for line in (live.state / "t-1" / "portsup.log").read_text().splitlines()]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))


def test_log_lines_come_as_they_are_printed(stack: Make) -> None:
    live = stack({"chat": {"command": ["sh", "-c", "echo hello; echo there >&2; read -r wait"], "ready": "started"}})
    with live.up():
        reader = Reader(live, "logs", services=["chat"])
        live.do("restart", "chat")
        told: list[tuple[str, str]] = []
        while len(told) < 2:
            told += [(line["stream"], line["message"]) for line in reader.next()["lines"]]
        assert sorted(told) == [("stderr", "there"), ("stdout", "hello")]
        reader.close()


def test_a_reader_that_sleeps_slows_nobody_and_hears_what_it_missed(stack: Make) -> None:
    live = stack(
        {
            "flood": {"command": program("floods", str(16 * LINES)), "ready": "started", "restart": "never"},
            "job": SLEEPS,
        }
    )
    with live.up():
        live.until("flood", state="exited", within=30)
        slow = Reader(live, "logs")
        live.do("start", "flood")
        live.until("flood", state="exited", within=30)
        got = missed = 0
        while got + missed < LINES:
            answer = slow.next()
            got += len(answer.get("lines", ()))
            missed += answer.get("gap", 0)
        assert missed > 0
        assert got + missed == LINES
        slow.close()


def test_events_go_on_until_the_instance_ends(stack: Make) -> None:
    live = stack({"job": SLEEPS})
    with live.up():
        file = live.folder / "events.txt"
        with file.open("wb") as out:
            following = live.popen("events", "-f", "--json", stdout=out)
        eventually(lambda: "service ready" in file.read_text())
        assert live.run("down").returncode == 0
        assert following.wait(10) == 0
        told = [json.loads(line) for line in file.read_text().splitlines()]
        assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
        assert told[-1]["event"] == "instance ended"


def test_wait_returns_when_the_service_is_there(stack: Make) -> None:
    gate = "until test -e gate; do sleep 0.01; done; echo open; exec sleep 1000"
    live = stack({"slow": {"command": ["sh", "-c", gate], "ready": {"log": "open"}}, "job": SLEEPS})
    early = live.popen("wait", "slow", "--timeout", "20")
    starting = live.popen("up", "-d")
    try:
        live.until("slow", state="starting")
        late = live.run("wait", "slow", "--timeout", "0.2")
        assert late.returncode == 124
        assert "`slow` is starting" in late.stderr
        assert early.poll() is None
        (live.folder / "gate").touch()
        assert early.wait(10) == 0
        assert starting.wait(10) == 0
        ending = live.popen("wait", "slow", "--for", "exited")
        live.do("stop", "slow")
        assert ending.wait(10) == 128 + signal.SIGTERM
    finally:
        live.end()


def test_wait_does_not_wait_for_what_cannot_come(stack: Make) -> None:
    live = stack({"bad": {"command": ["sh", "-c", "exit 3"], "restart": "never", "ready": {"log": "x"}}, "job": SLEEPS})
    assert live.run("up", "-d").returncode == 10
    try:
        refused = live.run("wait", "job", "bad", "--timeout", "1000")
        assert refused.returncode == 10
        assert "exit code 3" in refused.stderr
        ended = live.run("wait", "bad", "--for", "exited")
        assert (ended.returncode, ended.stderr) == (3, "bad: failed, exit code 3\n")
    finally:
        live.end()


def test_why_tells_who_had_the_port_and_how_it_ended(stack: Make) -> None:
    pool = free_pool(3)
    with socket.create_server(("127.0.0.1", pool[0])):
        script = f"echo process $$$$; exec {shlex.join(program('listens'))}"
        live = stack({"web": {"command": ["sh", "-c", script], "pool": list(pool)}})
        with live.up():
            first = live.rows()["web"]["pid"]
            os.kill(first, signal.SIGKILL)
            live.until("web", state="running", restarts=1)
            told = live.run("why", "web").stdout
            assert f"port {pool[0]}: held by `" in told
            assert "signal 9" in told
            assert f"is running on port {pool[1]} now" in told
            story = json.loads(live.run("why", "web", "--format", "json").stdout)
            assert (story["failures"], story["state"]) == (1, "running")
            assert story["output"] == [f"process {first}", f"listening on {pool[1]}"]
            assert "its last output before its next process" in told
            assert live.run("why", "wep").returncode == 4
