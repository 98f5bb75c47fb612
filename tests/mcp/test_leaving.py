"""However a client leaves, and however the server is ended: no word of it, and nothing is kept."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor import PortLock
from tests.live.stack import SLEEPS, Live
from tests.support.ports import free_pool
from tests.support.rounds import only

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
STATUS = "portsup://t/1/status"


class Talk:
    """`portsup mcp`, and a client that says every word of the protocol by itself."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.process = live.popen("mcp", stdin=subprocess.PIPE)
        self._number = 0
        self.ask("initialize", HELLO)
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def say(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def begin(self, method: str, params: dict[str, Any]) -> int:
        """Asks, and leaves the answer for later."""
        self._number += 1
        self.say({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = self.begin(method, params)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line).get("id") == number:
                return dict(json.loads(line)["result"])
        raise AssertionError(f"no answer to {method}")

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        told = self.ask("tools/call", {"name": tool, "arguments": arguments})
        return dict(told["structuredContent"])

    def close(self, *names: str) -> None:
        for name in names:
            getattr(self.process, name).close()

    def ended(self) -> tuple[int, str]:
        """How it ended, and what it said."""
        code = self.process.wait(30)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()


@pytest.fixture
def talk(own_folders: Path) -> Iterator[Talk]:
    live = Live(own_folders / "p", {"web": SLEEPS, "never": {**SLEEPS, "ready": {"log": "never said"}}})
    with live.foreground():
        live.until("web", state="running")
        one = Talk(live)
        yield one
        one.process.kill()
        one.process.wait(30)
        for stream in (one.process.stdin, one.process.stdout, one.process.stderr):
            if stream is not None:
                stream.close()


def in_a_call(one: Talk) -> None:
    one.begin("tools/call", {"name": "wait", "arguments": {"services": ["never"], "state": "ready", "timeout": 50}})
    one.ask("ping", {})
    one.close("stdin")


def deaf(one: Talk) -> None:
    one.close("stdout")
    one.begin("tools/call", {"name": "status", "arguments": {}})
    one.close("stdin")


def deaf_and_subscribed(one: Talk) -> None:
    one.ask("resources/subscribe", {"uri": STATUS})
    one.close("stdout")
    one.live.do("restart", "web")
    one.close("stdin")


def amid_a_word(one: Talk) -> None:
    assert one.process.stdin is not None
    one.process.stdin.write('{"jsonrpc": "2.0", "id": 9, "meth')
    one.close("stdin")


@pytest.mark.parametrize("leaves", only([in_a_call, amid_a_word], [in_a_call, deaf, deaf_and_subscribed, amid_a_word]))
def test_a_client_that_leaves_is_no_error(talk: Talk, leaves: Callable[[Talk], None]) -> None:
    leaves(talk)
    assert talk.ended() == (0, "")


@pytest.mark.parametrize("name", only(["SIGTERM"], ["SIGINT", "SIGTERM", "SIGHUP"]))
def test_a_signal_ends_it_while_its_client_says_nothing_and_gives_its_ports_back(talk: Talk, name: str) -> None:
    (port,) = free_pool(1)
    assert talk.call("lease", pool=str(port), minutes=5, purpose="a test")["port"] == port
    number = getattr(signal, name)
    talk.process.send_signal(number)
    assert talk.ended() == (128 + number, "")
    assert (talk.live.runtime / "ports" / f"{port}.json").read_text().strip() == ""
    PortLock(port, "another").acquire()
