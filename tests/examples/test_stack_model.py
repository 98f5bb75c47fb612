"""The stack on a machine with nothing but what `make up` fetches: words, tools and speech from the embedded models."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect

from tests.examples.extras import needs_model, needs_speech
from tests.examples.shipped import AUTH, Shipped, shipped
from tests.support.ports import free_port

pytestmark = [pytest.mark.live, needs_model]

# Arguments with which each tool does its work here.
CALLS: dict[str, dict[str, dict[str, Any]]] = {
    "mcp-universal": {
        "write_file": {"path": "notes/rivers.txt", "content": "The Ebro is a river.\n", "create_dirs": True},
        "list_files": {"glob": "**/*"},
        "read_file": {"path": "notes/rivers.txt"},
        "search_files": {"text": "Ebro"},
        "read_multiple_files": {"paths": ["notes/rivers.txt"]},
        "get_file_info": {"path": "notes/rivers.txt"},
        "directory_tree": {},
        "edit_file": {"path": "notes/rivers.txt", "edits": [{"old_text": "a river", "new_text": "a long river"}]},
        "create_directory": {"path": "notes/seas"},
        "move_file": {"source": "notes/seas", "destination": "notes/lakes"},
        "delete_file": {"path": "notes/lakes"},
        "run_code": {"language": "python", "code": "print(6 * 7)"},
        "run_command": {"argv": ["cat", "notes/rivers.txt"]},
        "call_service": {"service": "sandra-ia", "tool": "classify", "arguments": {"text": "Write a function."}},
    },
    "ollama-mcp": {
        "list_models": {},
        "chat": {"prompt": "Tell me of rivers.", "max_tokens": 8},
        "generate": {"prompt": "A river is", "max_tokens": 8},
        "embed": {"input": ["river"]},
        "pull_model": {"model": "llama3.2"},
    },
    "sandra-ia": {
        "ask": {"text": "Say hello to Ada in three words.", "mode": "single"},
        "classify": {"text": "Escribe una función."},
        "identity": {},
    },
}
# What cannot be done on such a machine, and the code that says so.
REFUSED = {"pull_model": "needs_ollama"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipped]:
    root = tmp_path_factory.mktemp("files")
    nowhere = f"http://127.0.0.1:{free_port()}"
    folder = tmp_path_factory.mktemp("stack")
    with shipped(folder, OLLAMA_BASE_URL=nowhere, MCP_ROOT=str(root), MCP_COMMANDS="cat") as running:
        yield running


def test_words_stream_from_sandra(stack: Shipped) -> None:
    body = {"messages": [{"role": "user", "content": "Tell me of rivers."}], "max_tokens": 16, "stream": True}
    url = f"{stack.url('sandra-ia')}/v1/chat/completions"
    with (
        httpx2.Client(trust_env=False, timeout=60, headers=AUTH) as http,
        http.stream("POST", url, json=body) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["x-sandra-backend"] == "ollama-mcp"
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    deltas = [choice["delta"] for line in lines[:-1] for choice in json.loads(line)["choices"]]
    words = [delta["content"] for delta in deltas if delta.get("content")]
    assert len(words) > 3
    assert "".join(words).strip()


@pytest.mark.parametrize("name", CALLS)
def test_an_mcp_client_calls_every_tool(stack: Shipped, name: str) -> None:
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def call_all() -> dict[str, tuple[bool, str]]:
        async with (
            httpx2.AsyncClient(headers=AUTH, trust_env=False, timeout=60) as http,
            Client(streamable_http_client(f"{stack.url(name)}/mcp", http_client=http)) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == set(CALLS[name])
            told = {}
            for tool, arguments in CALLS[name].items():
                result = await client.call_tool(tool, arguments)
                told[tool] = (result.is_error, " ".join(getattr(part, "text", "") for part in result.content))
            return told

    refused = dict(REFUSED)
    checks = httpx2.get(f"{stack.url('mcp-universal')}/health", trust_env=False).json()["checks"]
    if checks["sandbox"] != "ok":  # some containers do not allow one
        refused |= dict.fromkeys(("run_code", "run_command"), "sandbox_unavailable")
    for tool, (is_error, text) in asyncio.run(call_all()).items():
        assert is_error is (tool in refused), f"{tool}: {text}"
        assert refused.get(tool, "") in text


@needs_speech
def test_a_wav_file_comes_back_as_a_spoken_answer(stack: Shipped) -> None:
    from examples.conversational import audio

    with httpx2.Client(base_url=stack.url("conversational"), trust_env=False, timeout=60, headers=AUTH) as http:
        said = http.post("/tts", json={"text": "What is the capital of Spain?"})
        assert said.status_code == 200, said.text
    pcm = audio.read_wav(said.content, audio.HEARD, 60)
    address = stack.url("conversational").replace("http", "ws", 1) + "/ws"
    heard, spoken, last = "", b"", {"type": ""}
    with connect(address, proxy=None, additional_headers=AUTH) as socket:
        for start in range(0, len(pcm), 6400):
            socket.send(pcm[start : start + 6400])
        socket.send(json.dumps({"type": "input.audio.end"}))
        while last["type"] != "response.done":
            message = socket.recv(timeout=60)
            if isinstance(message, bytes):
                spoken += message
                continue
            last = json.loads(message)
            assert last["type"] != "error", last
            if last["type"] == "transcript" and last["final"]:
                heard = last["text"]
    assert "capital" in heard.lower()
    assert last["text"].strip()
    assert len(spoken) > 24000, "half a second of 24 kHz"
