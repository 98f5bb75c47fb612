"""Ollama MCP with the embedded model, asked too much, too often, or by clients that leave."""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.examples.embedded_model import HI, MODEL, with_model
from tests.examples.extras import needs_model
from tests.examples.mcp_progress import MODES, call, leave
from tests.examples.running import Running, error_of, text_of
from tests.support.eventually import eventually

pytestmark = [pytest.mark.live, needs_model, pytest.mark.usefixtures("at_rest")]
# The model may stop after a word. It cannot stop before five hundred numbers are written, which takes seconds.
LONG = {"type": "array", "items": {"type": "integer"}, "minItems": 500}
LONG_CHAT = {"model": MODEL, "messages": HI, "format": LONG, "options": {"num_predict": 1500}}
LONG_OPENAI = {
    "messages": HI,
    "stream": True,
    "max_tokens": 1500,
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": LONG}},
}


def processor_seconds(running: Running) -> float:
    service = psutil.Process(running.process.pid)
    every = [process.cpu_times() for process in (service, *service.children())]
    return sum(times.user + times.system for times in every)


def share_of_a_core(running: Running, over: float = 0.25) -> float:
    """How busy the service is, from 0 to 1 for each core."""
    before, started = processor_seconds(running), time.monotonic()
    threading.Event().wait(over)
    return (processor_seconds(running) - before) / (time.monotonic() - started)


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/api/embed", "/v1/chat/completions", "/v1/embeddings"])
@pytest.mark.parametrize(
    ("content", "status"), [(b"{bad", 400), (b"[]", 422), (b"[" * 100_000, 400), (b"\xff\xfe", 400)]
)
def test_a_body_that_is_no_request_is_refused(embedded: Running, path: str, content: bytes, status: int) -> None:
    response = embedded.http.post(path, content=content)
    if path.startswith("/api/"):
        assert "the body is not" in text_of(response, status)
    else:
        assert error_of(response, status)["code"] == "invalid_json"


def test_a_body_that_is_too_large_is_refused(embedded: Running) -> None:
    response = embedded.http.post("/api/chat", content=b" " * (33 * 1024 * 1024))
    assert "the body is larger than" in text_of(response, 413)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": [{"role": "user", "content": "word " * 5000}]}, "there is room for"),
        ({"messages": HI, "format": {"type": "no such type"}}, "the schema cannot be used"),
        ({"messages": HI, "format": {"$ref": "http://127.0.0.1:1/schema"}}, "the schema cannot be used"),
        ({"messages": HI, "format": {"type": "string", "minLength": 10**9}}, "the schema cannot be used"),
        ({"messages": HI, "tools": [{"type": "function"}]}, "does not support tools"),
        ({"messages": HI, "model": "\ud800"}, ""),
    ],
)
def test_what_can_not_be_done_is_refused_before_a_stream_begins(
    embedded: Running, body: dict[str, Any], words: str, stream: bool
) -> None:
    response = embedded.http.post("/api/chat", content=json.dumps({**body, "stream": stream}))
    if words:
        assert words in text_of(response, 400)
    else:
        assert response.status_code == 404


def test_paths_that_are_not_there_are_404(embedded: Running) -> None:
    assert text_of(embedded.http.get("/api/nothing"), 404) == "there is no `/api/nothing` here"
    for path in ("/v1/nothing", "/v1/models/gpt-9"):
        assert error_of(embedded.http.get(path), 404)


def ollama_stream(running: Running) -> None:
    with running.http.stream("POST", "/api/chat", json=LONG_CHAT) as response:
        next(response.iter_raw())


def openai_stream(running: Running) -> None:
    with running.http.stream("POST", "/v1/chat/completions", json=LONG_OPENAI) as response:
        next(response.iter_raw())


def plain_answer(running: Running) -> None:
    with contextlib.suppress(httpx2.ReadTimeout):
        running.http.post("/api/chat", json={**LONG_CHAT, "stream": False}, timeout=0.5)


def long_prompt(running: Running) -> None:
    prompt = " ".join(str(number) for number in range(400))
    with contextlib.suppress(httpx2.ReadTimeout):
        running.http.post("/v1/completions", json={"prompt": prompt, "max_tokens": 1}, timeout=0.3)


@pytest.mark.parametrize("ask", [ollama_stream, openai_stream, plain_answer, long_prompt])
def test_the_core_is_free_again_when_the_client_leaves(embedded: Running, ask: Callable[[Running], None]) -> None:
    used = processor_seconds(embedded)
    ask(embedded)
    # The rest would take several seconds of a core. llama.cpp looks once a second whether anybody is still there.
    eventually(lambda: share_of_a_core(embedded) < 0.2, within=30, every=0, what="a free core")
    assert processor_seconds(embedded) - used < 3.5
    assert embedded.http.get("/ollama/stats").json()["running"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_the_core_is_free_again_when_an_mcp_client_leaves(embedded: Running, mode: str) -> None:
    arguments = {"prompt": "Count from one to a thousand, in words.", "max_tokens": 1500}
    leave(embedded, "chat", arguments, mode=mode)
    eventually(lambda: embedded.http.get("/ollama/stats").json()["running"] == 0, within=30)
    eventually(lambda: share_of_a_core(embedded) < 0.2, within=30, every=0, what="a free core")


def test_more_than_the_allowed_requests_are_told_to_come_back() -> None:
    with (
        with_model(OLLAMA_MAX_QUEUE="0") as embedded,
        embedded.http.stream("POST", "/api/chat", json=LONG_CHAT) as first,
        embedded.http.stream("POST", "/v1/chat/completions", json=LONG_OPENAI) as second,
    ):
        streams = first.iter_raw(), second.iter_raw()  # kept, because one that is dropped closes its connection
        assert all(map(next, streams))
        assert "running already" in text_of(embedded.http.post("/api/chat", json=LONG_CHAT), 429)
        assert error_of(embedded.http.post("/v1/chat/completions", json=LONG_OPENAI), 429)["code"] == "busy"
        assert "busy" in call(embedded, "chat", {"prompt": "hi"})[0]
        assert embedded.http.get("/api/tags").status_code == 200  # listing is no work
        assert embedded.http.get("/health/ready").status_code == 200


def test_fifty_clients_at_once_are_answered_or_told_to_come_back(embedded: Running) -> None:
    body = {"model": MODEL, "messages": HI, "options": {"num_predict": 6}}

    def ask(number: int) -> int:
        with httpx2.Client(base_url=embedded.url, trust_env=False, timeout=60) as client:
            response = client.post("/api/chat", json={**body, "stream": number % 2 == 0})
            if response.status_code == 200:
                assert json.loads(response.text.splitlines()[-1])["done"] is True
            return response.status_code

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(ask, range(50)))
    assert set(answers) == {200, 429}
    assert answers[200] >= 2
    assert embedded.http.get("/health").status_code == 200


def test_it_listens_on_its_port_and_nowhere_else(embedded: Running) -> None:
    assert call(embedded, "embed", {"input": ["a"]})[0]["embeddings"]  # both engines run
    process = psutil.Process(embedded.process.pid)
    engines = process.children(recursive=True)
    assert len(engines) == 2
    connections = [one for each in (process, *engines) for one in each.net_connections("inet")]
    listening = [socket.laddr for socket in connections if socket.status == psutil.CONN_LISTEN]
    assert [(at.ip, at.port) for at in listening] == [("127.0.0.1", embedded.port)]


def sockets_of(running: Running) -> list[Path]:
    (engine,) = psutil.Process(running.process.pid).children()
    connections = engine.net_connections("unix")
    return [Path(str(one.laddr)) for one in connections if str(one.laddr).endswith(".sock")]


def test_sigterm_ends_a_stream_in_good_order_and_removes_the_socket() -> None:
    with with_model() as running, running.http.stream("POST", "/api/chat", json=LONG_CHAT) as response:
        parts = response.iter_raw()
        next(parts)
        (socket,) = set(sockets_of(running))
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        running.process.terminate()
        for _ in parts:  # to the end of the body, not to a connection that breaks
            pass
        assert running.process.wait(15) == 0
        assert "Traceback" not in running.output()
        assert not socket.parent.exists()
