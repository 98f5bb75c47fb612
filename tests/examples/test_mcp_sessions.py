"""Clients of MCP up to 2025-11-25, as requests over HTTP: sessions, cancelling, subscriptions, and errors in words."""

import json
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from examples.mcp_words import reworded
from tests.examples.mcp_client import TOKEN
from tests.examples.running import Running, processes, service
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
ACCEPT = {"accept": "application/json, text/event-stream", "authorization": f"Bearer {TOKEN}"}
VERSION = {"mcp-protocol-version": "2025-11-25"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def guarded(root: Path) -> Iterator[Running]:
    with service("mcp_universal", MCP_ROOT=str(root), MCP_TOKEN=TOKEN) as running:
        yield running


def message(method: str, number: int | None = None, **params: Any) -> dict[str, Any]:
    own = {} if number is None else {"id": number}
    return {"jsonrpc": "2.0", "method": method, **own, **({"params": params} if params else {})}


def begin(running: Running) -> dict[str, str]:
    """A new session: the headers of its further requests."""
    client = {"name": "test", "version": "1"}
    hello = message("initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
    response = running.http.post("/mcp", json=hello, headers=ACCEPT)
    headers = {**ACCEPT, **VERSION, "mcp-session-id": response.headers["mcp-session-id"]}
    assert running.http.post("/mcp", json=message("notifications/initialized"), headers=headers).status_code == 202
    return headers


def answer_in(text: str) -> dict[str, Any]:
    """The last message of a stream of events, or a JSON body."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    document: dict[str, Any] = json.loads(data[-1] if data else text)
    return document


def ask(running: Running, headers: dict[str, str], asked: dict[str, Any]) -> dict[str, Any]:
    return answer_in(running.http.post("/mcp", json=asked, headers=headers).text)


def runs(unique: str) -> dict[str, Any]:
    return message("tools/call", 7, name="run_code", arguments={"language": "bash", "code": f"exec sleep {unique}"})


@pytest.fixture
def unique() -> str:
    return f"60.{secrets.randbelow(10**9):09}"


def test_a_call_that_its_client_cancels_stops_and_leaves_its_place(guarded: Running, unique: str) -> None:
    headers, other = begin(guarded), begin(guarded)
    calls = [
        threading.Thread(target=guarded.http.post, args=("/mcp",), kwargs={"json": runs(unique), "headers": each})
        for each in (headers, other)
    ]
    for call in calls:
        call.start()
    eventually(lambda: len(processes(unique)) == 2, within=30, what="both programs")
    cancel = message("notifications/cancelled", requestId=7, reason="changed my mind")
    assert guarded.http.post("/mcp", json=cancel, headers=headers).status_code == 202
    calls[0].join(20)
    assert not calls[0].is_alive()
    assert calls[1].is_alive()  # its request has the same id, in a session of its own
    assert guarded.http.post("/mcp", json=cancel, headers=other).status_code == 202
    eventually(lambda: not processes(unique), what="the end of the other one")
    calls[1].join(20)


def test_a_client_that_leaves_ends_what_it_asked_for(guarded: Running, unique: str) -> None:
    headers = begin(guarded)
    with (
        httpx2.Client(base_url=guarded.url, trust_env=False, timeout=30) as http,
        http.stream("POST", "/mcp", json=runs(unique), headers=headers),
    ):
        eventually(lambda: processes(unique), within=30, what="the program")
    eventually(lambda: not processes(unique), what="its end")
    assert "result" in ask(guarded, headers, message("ping", 8))  # the session goes on


def test_a_session_that_a_restart_has_ended_is_served_all_the_same(guarded: Running) -> None:
    headers = {**ACCEPT, **VERSION, "mcp-session-id": secrets.token_hex(16)}
    assert ask(guarded, headers, message("tools/list", 1))["result"]["tools"]
    assert ask(guarded, {**ACCEPT, **VERSION}, message("tools/list", 1))["result"]["tools"]


def test_a_session_that_its_client_has_ended_is_gone(guarded: Running) -> None:
    headers = begin(guarded)
    assert guarded.http.delete("/mcp", headers=headers).status_code == 200
    assert guarded.http.post("/mcp", json=message("ping", 1), headers=headers).status_code == 404


@pytest.mark.parametrize("name", ["read_file", "run_command", "call_service"])
def test_an_error_begins_with_its_code(guarded: Running, name: str) -> None:
    arguments: dict[str, dict[str, Any]] = {
        "read_file": {"path": "../secret"},
        "run_command": {"argv": ["rm"]},
        "call_service": {"service": "nobody", "tool": "t"},
    }
    result = ask(guarded, begin(guarded), message("tools/call", 1, name=name, arguments=arguments[name]))["result"]
    assert result["isError"] is True
    codes = {"read_file": "outside_root: ", "run_command": "command_not_allowed: ", "call_service": "unknown_service: "}
    assert result["content"][0]["text"].startswith(codes[name])


def test_arguments_that_do_not_fit_are_told_one_by_one(guarded: Running) -> None:
    call = message("tools/call", 1, name="run_code", arguments={"language": "perl", "timeout_s": 0})
    text = ask(guarded, begin(guarded), call)["result"]["content"][0]["text"]
    assert text.startswith("invalid_arguments: ")
    assert "`language`: Input should be 'python', 'javascript' or 'bash'" in text
    assert "`code`: Field required" in text
    assert "pydantic" not in text


def test_a_tool_that_does_not_exist_is_an_error_of_the_protocol(guarded: Running) -> None:
    for headers in (begin(guarded), {**ACCEPT, **VERSION}):
        answer = ask(guarded, headers, message("tools/call", 1, name="no_such", arguments={}))
        assert answer["error"]["code"] == -32602
        assert "no_such" in answer["error"]["message"]


def test_a_prompt_that_does_not_exist_is_the_clients_mistake(guarded: Running) -> None:
    for headers in (begin(guarded), {**ACCEPT, **VERSION}):
        answer = ask(guarded, headers, message("prompts/get", 1, name="no_such"))
        assert answer["error"] == {"code": -32602, "message": "Unknown prompt: no_such"}


def test_a_mistake_of_ours_is_called_that() -> None:
    assert reworded("Error executing tool t", "t").startswith("internal_error: ")
    assert reworded("Error executing tool t: busy: later", "t") == "busy: later"
    assert reworded("something else", "t") == "something else"
