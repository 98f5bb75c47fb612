"""Ollama MCP in front of a server that speaks Ollama's API."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from tests.examples.running import Running, error_of, service
from tests.examples.upstream import WORDS, Upstream
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live
CHAT = {"model": "tiny:latest", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def ollama(server: Upstream) -> Iterator[Running]:
    with service("ollama_mcp", OLLAMA_BASE_URL=server.url, OLLAMA_MAX_CONCURRENT="1") as running:
        yield running


def call(running: Running, tool: str, **arguments: Any) -> tuple[Any, list[str]]:
    """A tool's structured answer or the text of its error, and the progress that was reported."""
    pieces: list[str] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        pieces.append(message or "")

    async def conversation() -> Any:
        async with Client(f"{running.url}/mcp") as session:
            return await session.call_tool(tool, arguments, progress_callback=told)

    result = asyncio.run(conversation())
    if result.is_error:
        assert isinstance(result.content[0], TextContent)
        return result.content[0].text, pieces
    return result.structured_content, pieces


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/api/chat", CHAT, "application/x-ndjson"),
        ("/v1/chat/completions", {**CHAT, "stream": True}, "text/event-stream"),
    ],
)
def test_an_answer_streams_through_as_it_is_made(
    ollama: Running, behind: Upstream, path: str, body: dict[str, Any], kind: str
) -> None:
    behind.pause = True
    with ollama.http.stream("POST", path, json=body) as response:
        assert response.headers["content-type"] == kind
        parts = response.iter_raw()
        first = next(parts)
        assert WORDS[0].encode() in first  # while the server behind has not gone on
        assert WORDS[1].encode() not in first
        behind.go_on.set()
        rest = b"".join(parts)
    assert WORDS[2].encode() in rest


def test_the_answer_is_passed_on_as_it_is(ollama: Running, behind: Upstream) -> None:
    lines = ollama.http.post("/api/chat", json=CHAT).text.splitlines()
    assert [json.loads(line).get("done") for line in lines] == [False, False, False, True]
    assert behind.asked("/api/chat") == [CHAT]
    assert ollama.http.get("/api/tags").json()["models"][0]["name"] == "tiny:latest"
    unknown = ollama.http.post("/api/chat", json={**CHAT, "model": "x"})
    assert (unknown.status_code, unknown.json()) == (404, {"error": "model 'x' not found"})


def test_older_paths_are_ollamas(ollama: Running, behind: Upstream) -> None:
    assert ollama.http.get("/ollama/models").json() == ollama.http.get("/api/tags").json()
    ollama.http.post("/ollama/chat", json=CHAT)
    assert behind.asked("/api/chat") == [CHAT]
    assert ollama.http.get("/ollama/stats").json()["max_concurrent"] == 1


def test_what_is_for_this_service_does_not_go_further(ollama: Running, behind: Upstream) -> None:
    ollama.http.get("/api/tags", headers={"authorization": "Bearer x", "cookie": "a=b", "x-other": "y"})
    headers = behind.seen[-1][2]
    assert not {"authorization", "cookie"} & headers.keys()
    assert (headers["x-other"], headers["accept-encoding"]) == ("y", "gzip, deflate")


def test_more_than_the_allowed_requests_are_told_to_come_back(ollama: Running, behind: Upstream) -> None:
    behind.pause = True
    with ollama.http.stream("POST", "/api/chat", json=CHAT) as response:
        next(response.iter_raw())
        assert error_of(ollama.http.post("/api/chat", json=CHAT), 429)["code"] == "busy"
        assert ollama.http.get("/api/tags").status_code == 200  # listing is no work
        behind.go_on.set()
    eventually(lambda: ollama.http.post("/api/chat", json=CHAT).status_code == 200)


def test_a_client_that_leaves_gives_its_place_back(ollama: Running, behind: Upstream) -> None:
    behind.pause = True
    with ollama.http.stream("POST", "/api/chat", json=CHAT) as response:
        next(response.iter_raw())
    eventually(lambda: ollama.http.get("/ollama/stats").json()["running"] == 0)


def test_an_answer_that_breaks_off_says_so(ollama: Running, behind: Upstream) -> None:
    behind.break_off = True
    last = ollama.http.post("/api/chat", json=CHAT).text.strip().splitlines()[-1]
    assert json.loads(last)["error"]["code"] == "upstream_broke_off"


def test_a_step_up_in_a_path_is_refused(ollama: Running) -> None:
    for path in ("/api/%2e%2e/secret", "/v1/..%2fsecret"):
        assert error_of(ollama.http.get(path), 400)["code"] == "bad_path"


def test_models_are_tools(ollama: Running, behind: Upstream) -> None:
    models, _ = call(ollama, "list_models")
    assert [model["name"] for model in models["models"]] == ["tiny:latest", "llama3.2:1b"]
    answer, progress = call(ollama, "chat", prompt="hi", max_tokens=9)
    assert answer == {"model": "tiny:latest", "text": "one two three", "tokens": 3, "done_reason": "stop"}
    assert "".join(progress) == "one two three"
    assert behind.asked("/api/chat")[-1]["options"] == {"num_predict": 9}
    answer, _ = call(ollama, "generate", prompt="hi", model="llama3.2:1b")
    assert (answer["model"], answer["text"]) == ("llama3.2:1b", "one two three")
    answer, _ = call(ollama, "embed", input=["a", "b"])
    assert answer["embeddings"] == [[0.5, 0.25], [0.5, 0.25]]


def test_what_goes_wrong_in_a_tool_is_its_answer(ollama: Running, behind: Upstream) -> None:
    assert "model_not_found: model 'x' not found" in call(ollama, "chat", prompt="hi", model="x")[0]
    assert "bad_request" in call(ollama, "chat")[0]


def test_with_nothing_behind_it_every_face_says_no_backend() -> None:
    with service("ollama_mcp", OLLAMA_BASE_URL=f"http://u:secret@127.0.0.1:{free_port()}") as running:
        assert running.http.get("/health").json()["checks"] == {"ollama": "no_backend"}
        for path in ("/api/tags", "/v1/models", "/", "/health/ready"):
            error = error_of(running.http.get(path), 503)
            assert error["code"] == "no_backend"
            assert "secret" not in error["message"]
        assert "no_backend" in call(running, "list_models")[0]


def test_sigterm_ends_an_open_stream_in_good_order(server: Upstream, behind: Upstream) -> None:
    behind.pause = True
    with (
        service("ollama_mcp", OLLAMA_BASE_URL=server.url) as running,
        running.http.stream("POST", "/api/chat", json=CHAT) as response,
    ):
        parts = response.iter_raw()
        next(parts)
        running.process.terminate()
        assert b"".join(parts) == b""  # the end of the body, not a connection that breaks
        assert running.process.wait(15) == 0
        assert "Traceback" not in running.output()
