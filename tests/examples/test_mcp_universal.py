"""MCP Universal as the official client sees it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import TextContent

from tests.examples.running import Running, error_of, run_to_end, service
from tests.support.ports import free_port

pytestmark = pytest.mark.live
TOKEN = "a-token-of-the-tests"
T = TypeVar("T")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("mcp")
    (parent / "secret.txt").write_text("secret")
    root = parent / "root"
    (root / "sub").mkdir(parents=True)
    (root / "hello.txt").write_text("hello world\n")
    (root / "sub" / "ünï.txt").write_text("grüße €€\n")
    (root / "bytes.bin").write_bytes(b"\xff\x00\xfe")
    (root / "out").symlink_to(parent / "secret.txt")
    return root


@pytest.fixture(scope="module")
def guarded(root: Path) -> Iterator[Running]:
    with service("mcp_universal", MCP_ROOT=str(root), MCP_TOKEN=TOKEN) as running:
        yield running


@asynccontextmanager
async def client(running: Running, token: str = TOKEN, mode: str = "auto") -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=20) as http,
        Client(streamable_http_client(f"{running.url}/mcp", http_client=http), mode=mode) as session,
    ):
        yield session


def ask(running: Running, do: Callable[[Client], Awaitable[T]], **options: str) -> T:
    async def conversation() -> T:
        async with client(running, **options) as session:
            return await do(session)

    return asyncio.run(conversation())


def call(running: Running, tool: str, **arguments: Any) -> Any:
    """A tool's structured answer, or the text of its error."""
    result = ask(running, lambda session: session.call_tool(tool, arguments))
    if result.is_error:
        assert isinstance(result.content[0], TextContent)
        return result.content[0].text
    return result.structured_content


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_lists_the_tools(guarded: Running, mode: str) -> None:
    tools = ask(guarded, lambda session: session.list_tools(), mode=mode).tools
    hints = {tool.name: tool.annotations and tool.annotations.read_only_hint for tool in tools}
    assert hints == {"list_files": True, "read_file": True, "search_files": True, "write_file": False}
    assert all(tool.output_schema and tool.description for tool in tools)


def test_files_are_listed_read_and_searched(guarded: Running) -> None:
    listing = call(guarded, "list_files", glob="*.txt")
    assert listing == {"entries": [{"path": "hello.txt", "kind": "file", "size": 12}], "truncated": False}
    content = call(guarded, "read_file", path="hello.txt")
    assert (content["content"], content["encoding"], content["next_offset"]) == ("hello world\n", "utf-8", None)
    found = call(guarded, "search_files", text="grüße")
    assert found["matches"] == [{"path": "sub/ünï.txt", "line": 1, "text": "grüße €€"}]


def test_a_file_read_in_parts_never_cuts_a_character(guarded: Running) -> None:
    text = ""
    offset: int | None = 0
    while offset is not None:
        part = call(guarded, "read_file", path="sub/ünï.txt", offset=offset, limit=5)
        assert part["encoding"] == "utf-8"
        text, offset = text + part["content"], part["next_offset"]
    assert text == "grüße €€\n"


def test_bytes_that_are_no_text_come_as_base64(guarded: Running) -> None:
    content = call(guarded, "read_file", path="bytes.bin")
    assert content["encoding"] == "base64"
    assert base64.b64decode(content["content"]) == b"\xff\x00\xfe"


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "out", "sub/../../secret.txt"])
def test_the_way_out_is_refused_without_telling_more(guarded: Running, path: str, root: Path) -> None:
    for tool, arguments in (("read_file", {}), ("write_file", {"content": "x"})):
        words = call(guarded, tool, path=path, **arguments)
        assert "outside_root" in words
        assert str(root) not in words
    assert (root.parent / "secret.txt").read_text() == "secret"


def test_a_file_is_written_with_the_token(guarded: Running, root: Path) -> None:
    answer = call(guarded, "write_file", path="new/file.txt", content="añb", create_dirs=True)
    assert answer == {"path": "new/file.txt", "bytes": 4, "created": True}
    assert (root / "new/file.txt").read_text() == "añb"


def test_limits_are_part_of_the_schema(guarded: Running) -> None:
    assert "limit" in call(guarded, "read_file", path="hello.txt", limit=10**9)
    assert "not_found" in call(guarded, "read_file", path="nothing")


def test_files_are_resources_too(guarded: Running) -> None:
    async def read(session: Client) -> Any:
        templates = await session.list_resource_templates()
        assert [template.uri_template for template in templates.resource_templates] == ["workspace://{+path}"]
        for bad in ("workspace://../secret.txt", "workspace://%2e%2e/secret.txt", "workspace://out", "workspace://no"):
            with pytest.raises(MCPError):
                await session.read_resource(bad)
        return await session.read_resource("workspace://sub/%C3%BCn%C3%AF.txt")

    assert ask(guarded, read).contents[0].text == "grüße €€\n"


def test_without_the_token_nobody_gets_in(guarded: Running) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert error_of(guarded.http.post("/mcp", json=request), 401)["code"] == "auth_required"
    assert guarded.http.post("/mcp", json=request, headers={"host": "evil.example"}).status_code == 421


def test_without_a_token_files_can_be_read_but_not_written(root: Path) -> None:
    with service("mcp_universal", MCP_ROOT=str(root)) as running:
        assert call(running, "read_file", path="hello.txt")["content"] == "hello world\n"
        assert "auth_required" in call(running, "write_file", path="x", content="x")
        assert not (root / "x").exists()


def test_sigterm_ends_the_open_stream_of_an_older_client(root: Path) -> None:
    with service("mcp_universal", MCP_ROOT=str(root)) as running:
        headers = {"accept": "text/event-stream"}
        with running.http.stream("GET", "/mcp", headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            running.process.terminate()
            assert response.read() is not None
        assert running.process.wait(15) == 0
        assert "Traceback" not in running.output()


def test_a_root_that_is_not_there_ends_it_with_code_2(tmp_path: Path) -> None:
    ended = run_to_end("mcp_universal", MCP_PORT=str(free_port()), MCP_ROOT=str(tmp_path / "nothing"))
    assert ended.returncode == 2
    assert "MCP_ROOT" in ended.stderr
