"""MCP Universal as the official client sees it: protocol, files, and who is kept out."""

import base64
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import Tool

from tests.examples.mcp_client import TOKEN, ask, call
from tests.examples.running import ROOT, Running, error_of, run_to_end, service
from tests.support.ports import free_port

pytestmark = pytest.mark.live
CHANGES = {"read_only_hint": False}


def hints(tool: Tool) -> dict[str, object]:
    return tool.annotations.model_dump(exclude_none=True) if tool.annotations else {}


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


@pytest.fixture(scope="module")
def plain(root: Path) -> Iterator[Running]:
    """Without a token."""
    with service("mcp_universal", MCP_ROOT=str(root)) as running:
        yield running


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_lists_the_tools(guarded: Running, mode: str) -> None:
    tools = ask(guarded, lambda session: session.list_tools(), mode=mode).tools
    assert {tool.name: hints(tool) for tool in tools} == {
        "list_files": {"read_only_hint": True, "open_world_hint": False},
        "read_file": {"read_only_hint": True, "open_world_hint": False},
        "search_files": {"read_only_hint": True, "open_world_hint": False},
        "read_multiple_files": {"read_only_hint": True, "open_world_hint": False},
        "get_file_info": {"read_only_hint": True, "open_world_hint": False},
        "directory_tree": {"read_only_hint": True, "open_world_hint": False},
        "edit_file": {**CHANGES, "destructive_hint": True, "idempotent_hint": False, "open_world_hint": False},
        "move_file": {**CHANGES, "destructive_hint": True, "idempotent_hint": False, "open_world_hint": False},
        "delete_file": {**CHANGES, "destructive_hint": True, "idempotent_hint": False, "open_world_hint": False},
        "create_directory": {**CHANGES, "destructive_hint": False, "idempotent_hint": True, "open_world_hint": False},
        "write_file": {**CHANGES, "destructive_hint": True, "idempotent_hint": True, "open_world_hint": False},
        "run_code": {**CHANGES, "destructive_hint": True, "idempotent_hint": False, "open_world_hint": False},
        "run_command": {**CHANGES, "destructive_hint": True, "idempotent_hint": False, "open_world_hint": False},
        "call_service": {**CHANGES, "destructive_hint": False, "idempotent_hint": False, "open_world_hint": True},
    }
    assert all(tool.output_schema and tool.description for tool in tools)
    told = (ROOT / "docs" / "reference" / "shipped-stack.md").read_text(encoding="utf-8")
    assert [tool.name for tool in tools if f"`{tool.name}`" not in told] == []


def test_the_protocols_are_the_new_and_the_old_one(guarded: Running) -> None:
    async def version(session: Client) -> str:
        return session.protocol_version

    assert ask(guarded, version) == "2026-07-28"
    assert ask(guarded, version, mode="legacy") == "2025-11-25"


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


def test_without_a_token_files_can_be_read_but_nothing_written_or_run(plain: Running, root: Path) -> None:
    assert call(plain, "read_file", path="hello.txt")["content"] == "hello world\n"
    assert "auth_required" in call(plain, "write_file", path="x", content="x")
    assert "auth_required" in call(plain, "run_code", language="bash", code="touch x")
    assert "auth_required" in call(plain, "run_command", argv=["touch", "x"])
    assert not (root / "x").exists()


def test_a_body_that_is_too_large_is_refused(guarded: Running) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "accept": "application/json, text/event-stream"}

    def too_much() -> Iterator[bytes]:
        for _ in range(5):
            yield b" " * 1024 * 1024

    for content in (b" " * 5 * 1024 * 1024, too_much()):
        response = guarded.http.post("/mcp", content=content, headers={**headers, "content-type": "application/json"})
        assert response.status_code == 413
    assert guarded.http.get("/health").status_code == 200


def test_slow_clients_keep_nobody_waiting(guarded: Running) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port), timeout=10))
            connection.sendall(
                f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
                "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
            )
        assert call(guarded, "read_file", path="hello.txt")["size"] == 12


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", ""])
def test_a_foreign_host_name_is_refused_before_anything_else(guarded: Running, plain: Running, host: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for running in (guarded, plain):
        response = running.http.post("/mcp", json=body, headers={"host": host, "authorization": f"Bearer {TOKEN}"})
        assert response.status_code in (400, 421), response.text


@pytest.mark.parametrize("token", ["wrong", TOKEN[:-1], TOKEN + "x", "grüße"])
def test_a_wrong_token_is_refused(guarded: Running, token: str) -> None:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    response = guarded.http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=headers)
    assert error_of(response, 401)["code"] == "auth_required"


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
