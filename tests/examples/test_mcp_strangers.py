"""The MCP services as programs see them that others wrote: MCP conformance, and the MCP Inspector on the command line.

They come from npm (tests/npm/package.json) and know the protocol up to 2025-11-25; `make test` installs them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.examples.mcp_client import TOKEN
from tests.examples.running import ROOT, Running, environment, service, services
from tests.examples.upstream import Upstream
from tests.support.needed import need

pytestmark = pytest.mark.live
NODE = Path(sys.executable).parent / "node"
PROGRAMS = ROOT / "build" / "npm" / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in (NODE, PROGRAMS / "conformance", PROGRAMS / "mcp-inspector"):
        need(program.exists(), str(program), "`sh .ci/setup.sh stack,dev` installs it")
    root = tmp_path_factory.mktemp("root")
    (root / "hello.txt").write_text("hello\n")
    return root


@pytest.fixture(scope="module")
def guarded(root: Path) -> Iterator[Running]:
    with service("mcp_universal", MCP_ROOT=str(root), MCP_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def plain(root: Path) -> Iterator[Running]:
    """Without a token: conformance has no way to send one."""
    with service("mcp_universal", MCP_ROOT=str(root)) as running:
        yield running


def node(program: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = environment(HOME=str(home), NO_COLOR="1", PATH=f"{NODE.parent}{os.pathsep}{os.environ['PATH']}")
    command = [str(NODE), str(PROGRAMS / program), *arguments]
    return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "scenario",
    ["server-initialize", "ping", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection"],
)
def test_it_conforms_to_the_protocol(plain: Running, tmp_path: Path, scenario: str) -> None:
    ended = node("conformance", "server", "--url", f"{plain.url}/mcp", "--scenario", scenario, home=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ", 0 failed, 0 warnings" in ended.stdout


def inspect(running: Running, home: Path, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    header = ("--header", f"Authorization: Bearer {token}") if token else ()
    return node("mcp-inspector", "--cli", f"{running.url}/mcp", "--transport", "http", *header, *arguments, home=home)


def shown(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_the_inspector_finds_nothing_to_object_to_in_the_schemas(guarded: Running, tmp_path: Path) -> None:
    listed = shown(inspect(guarded, tmp_path, "--method", "tools/list", "--strict"))["tools"]
    names = {"list_files", "read_file", "write_file", "search_files", "run_code", "run_command", "call_service"}
    names |= {"edit_file", "move_file", "delete_file", "create_directory", "directory_tree", "get_file_info"}
    assert {tool["name"] for tool in listed} == names | {"read_multiple_files"}
    assert all("\n " not in tool["description"] for tool in listed)  # the indentation of a docstring
    assert all({"readOnlyHint", "openWorldHint"} <= set(tool["annotations"]) for tool in listed)


def test_the_inspector_calls_tools_and_reads_resources(guarded: Running, tmp_path: Path) -> None:
    call = ("--method", "tools/call", "--tool-name")
    answer = shown(inspect(guarded, tmp_path, *call, "read_file", "--tool-arg", "path=hello.txt"))
    assert answer["structuredContent"]["content"] == "hello\n"
    assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"]
    resource = shown(inspect(guarded, tmp_path, "--method", "resources/read", "--uri", "workspace://hello.txt"))
    assert resource["contents"][0]["text"] == "hello\n"


def test_clients_that_refuse_port_6000_take_the_way_through_the_gateway(guarded: Running, tmp_path: Path) -> None:
    fetch = "fetch('http://127.0.0.1:6000/').catch(error => console.log(error.cause.message))"
    refused = subprocess.run([str(NODE), "-e", fetch], capture_output=True, text=True, timeout=60)
    assert refused.stdout == "bad port\n"  # without a look at whether anybody listens
    with service("api_server", API_TOKEN=TOKEN, PORTSUP_MCP_UNIVERSAL_URL=guarded.url) as gateway:
        url = f"{gateway.url}/mcp-universal/mcp"
        call = ("--method", "tools/call", "--tool-name", "read_file", "--tool-arg", "path=hello.txt")
        header = ("--header", f"Authorization: Bearer {TOKEN}")
        answer = shown(node("mcp-inspector", "--cli", url, "--transport", "http", *header, *call, home=tmp_path))
        assert answer["structuredContent"]["content"] == "hello\n"
        ended = node("conformance", "server", "--url", url, "--scenario", "ping", home=tmp_path)
        assert ended.returncode != 0  # it can show no token


def test_the_inspector_is_told_what_is_wrong(guarded: Running, tmp_path: Path) -> None:
    call = ("--method", "tools/call", "--tool-name", "read_file", "--tool-arg", "path=../secret")
    ended = inspect(guarded, tmp_path, *call)
    assert ended.returncode != 0
    assert "outside_root" in ended.stdout + ended.stderr
    ended = inspect(guarded, tmp_path, "--method", "tools/list", token="")
    assert ended.returncode != 0
    assert "list_files" not in ended.stdout


@pytest.fixture(scope="module")
def others(root: Path, server: Upstream) -> Iterator[dict[str, Running]]:
    """The two other services that speak MCP."""
    variables = {"ollama_mcp": {"OLLAMA_BASE_URL": server.url}, "sandra_ia": {"OLLAMA_MCP_URL": server.url}}
    with services(variables, list(variables)) as running:
        yield running


@pytest.mark.parametrize("name", ["ollama_mcp", "sandra_ia"])
@pytest.mark.parametrize("scenario", ["server-initialize", "ping", "tools-list", "dns-rebinding-protection"])
def test_the_other_services_conform_too(others: dict[str, Running], tmp_path: Path, name: str, scenario: str) -> None:
    ended = node("conformance", "server", "--url", f"{others[name].url}/mcp", "--scenario", scenario, home=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ", 0 failed, 0 warnings" in ended.stdout


@pytest.mark.parametrize(
    ("name", "tools", "call", "found"),
    [
        ("ollama_mcp", {"list_models", "chat", "generate", "embed", "pull_model"}, ["list_models"], "models"),
        ("sandra_ia", {"ask", "classify", "identity"}, ["classify", "--tool-arg", "text=why?"], "task"),
    ],
)
def test_the_inspector_works_with_the_other_services(
    others: dict[str, Running], tmp_path: Path, name: str, tools: set[str], call: list[str], found: str
) -> None:
    running = others[name]
    listed = shown(inspect(running, tmp_path, "--method", "tools/list", "--strict", token=""))["tools"]
    assert {tool["name"] for tool in listed} == tools
    assert all("\n " not in tool["description"] for tool in listed)  # the indentation of a docstring
    answer = shown(inspect(running, tmp_path, "--method", "tools/call", "--tool-name", *call, token=""))
    assert found in answer["structuredContent"]
