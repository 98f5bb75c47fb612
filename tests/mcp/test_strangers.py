"""`portsup mcp` as programs see it that others wrote: MCP conformance, and the MCP Inspector on the command line."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.mcp.schema import TOOLS
from tests.live.stack import Live
from tests.mcp.strangers import need_programs, node, with_token
from tests.support.ports import free_pool
from tests.support.running import ROOT, program

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
CALL = ("--method", "tools/call", "--tool-name")
SCENARIOS = [
    "server-initialize", "ping", "tools-list", "resources-list", "resources-subscribe", "resources-unsubscribe",
    "prompts-list", "server-sse-multiple-streams", "dns-rebinding-protection",
]  # fmt: skip


class Served:
    """A stack that runs, and `portsup mcp --http` for it."""

    def __init__(self, live: Live, url: str, token: str, home: Path) -> None:
        self.live, self.url, self.token, self.home = live, url, token, home
        self.port = int(url.rpartition(":")[2].partition("/")[0])

    def inspected(self, *arguments: str, by: str) -> dict[str, Any]:
        """What the Inspector shows: by HTTP with the token, or of a server that it starts."""
        http = ("--cli", self.url, "--transport", "http", "--header", f"Authorization: Bearer {self.token}")
        given = {name: self.live.env[name] for name in ("PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR")}
        given["PYTHONPATH"] = str(ROOT)
        environment = [word for pair in given.items() for word in ("-e", "=".join(pair))]
        stdio = ("--cli", *environment, "--cwd", str(self.live.folder), sys.executable, "-m", "supervisor", "mcp")
        options = http if by == "http" else stdio
        ended = node("mcp-inspector", *options, *arguments, home=self.home)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        document: dict[str, Any] = json.loads(ended.stdout)
        return document


@pytest.fixture
def served(own_folders: Path) -> Iterator[Served]:
    need_programs()
    live = Live(own_folders / "p", {"web": {"command": program("listens"), "pool": list(free_pool(3))}})
    ports = free_pool(2)
    with live.up():
        server = live.popen("mcp", "--http", f"{ports[0]}-{ports[-1]}")
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            home = own_folders / "home"
            home.mkdir()
            yield Served(live, url, (live.state / "token").read_text().strip(), home)
        finally:
            server.terminate()
            server.wait(20)
            for stream in (server.stdout, server.stderr):
                if stream is not None:
                    stream.close()


def test_it_conforms_to_the_protocol(served: Served) -> None:
    with with_token(served.port, served.token) as port:
        for scenario in SCENARIOS:
            url = f"http://127.0.0.1:{port}/mcp"
            ended = node("conformance", "server", "--url", url, "--scenario", scenario, home=served.home)
            assert ended.returncode == 0, f"{scenario}: {ended.stdout}{ended.stderr}"
            assert ", 0 failed, 0 warnings" in ended.stdout, f"{scenario}: {ended.stdout}"
    ended = node("conformance", "server", "--url", served.url, "--scenario", "ping", home=served.home)
    assert ended.returncode != 0  # without the token


@pytest.mark.parametrize("by", ["stdio", "http"])
def test_the_inspector_lists_calls_and_reads(served: Served, by: str) -> None:
    listed = served.inspected("--method", "tools/list", "--strict", by=by)["tools"]
    assert [tool["name"] for tool in listed] == [tool.name for tool in TOOLS]
    told = served.inspected(*CALL, "status", by=by)["structuredContent"]
    assert (told["ok"], told["port"]) == (True, served.live.rows()["web"]["port"])
    read = served.inspected("--method", "resources/read", "--uri", "portsup://t/1/status", by=by)
    assert json.loads(read["contents"][0]["text"])[0]["name"] == "web"
    prompt = ("--method", "prompts/get", "--prompt-name", "diagnose-service", "--prompt-args", "service=web")
    assert 'why(service="web")' in served.inspected(*prompt, by=by)["messages"][0]["content"]["text"]
