"""Ollama MCP in front of a server that speaks Ollama's API, and with nothing to answer with."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import ollama as ollama_package
import openai
import pytest

from tests.examples.mcp_progress import call
from tests.examples.running import Running, error_of, service, text_of
from tests.examples.upstream import WORDS, Upstream, upstream
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live
CHAT = {"model": "tiny:latest", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def ollama(server: Upstream) -> Iterator[Running]:
    with service("ollama_mcp", OLLAMA_BASE_URL=server.url, OLLAMA_MAX_CONCURRENT="1", OLLAMA_MAX_QUEUE="0") as running:
        yield running


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
    whole = ollama.http.post("/ollama/stream/chat", json=CHAT)
    assert whole.headers["content-type"] == "text/event-stream"
    events = [json.loads(line.removeprefix("data: ")) for line in whole.text.splitlines() if line]
    assert [event["done"] for event in events] == [False, False, False, True]
    stats = ollama.http.get("/ollama/stats").json()
    assert (stats["backend"], stats["max_concurrent"], stats["running"]) == ("ollama", 1, 0)


def test_what_is_for_this_service_does_not_go_further(ollama: Running, behind: Upstream) -> None:
    ollama.http.get("/api/tags", headers={"authorization": "Bearer x", "cookie": "a=b", "x-other": "y"})
    headers = behind.seen[-1][2]
    assert not {"authorization", "cookie"} & headers.keys()
    assert (headers["x-other"], headers["accept-encoding"]) == ("y", "gzip, deflate")


def test_more_than_the_allowed_requests_are_told_to_come_back(ollama: Running, behind: Upstream) -> None:
    behind.pause = True
    with ollama.http.stream("POST", "/api/chat", json=CHAT) as response:
        parts = response.iter_raw()
        next(parts)
        assert "running already" in text_of(ollama.http.post("/api/chat", json=CHAT), 429)
        assert error_of(ollama.http.post("/ollama/chat", json=CHAT), 429)["code"] == "busy"
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
    assert json.loads(last) == {"error": "Ollama broke off its answer"}  # in Ollama's own shape


def test_a_step_up_in_a_path_is_refused(ollama: Running) -> None:
    assert text_of(ollama.http.get("/api/%2e%2e/secret"), 400)
    assert error_of(ollama.http.get("/v1/..%2fsecret"), 400)["code"] == "bad_path"


def test_each_api_has_errors_of_its_own_shape(ollama: Running, behind: Upstream) -> None:
    http = ollama.http
    assert text_of(http.put("/api/chat"), 405) == "`/api/chat` takes no PUT"
    assert "pages of other sites" in text_of(http.get("/api/tags", headers={"origin": "http://evil.example"}), 403)
    assert "localhost" in text_of(http.get("/api/tags", headers={"host": "evil.example"}), 400)
    assert error_of(http.put("/v1/models"), 405)["code"] == "method_not_allowed"
    assert error_of(http.put("/ollama/chat"), 405)["code"] == "method_not_allowed"
    assert error_of(http.get("/mcp", headers={"origin": "http://evil.example"}), 403)["code"] == "invalid_origin"
    assert error_of(http.get("/ollama/api/tags"), 404)["code"] == "not_found"


def test_models_are_tools(ollama: Running, behind: Upstream) -> None:
    models, _ = call(ollama, "list_models")
    assert [model["name"] for model in models["models"]] == ["tiny:latest", "llama3.2:1b"]
    answer, progress = call(ollama, "chat", {"prompt": "hi", "max_tokens": 9})
    assert answer == {"model": "tiny:latest", "text": "one two three", "tokens": 3, "done_reason": "stop"}
    assert "".join(progress) == "one two three"
    assert behind.asked("/api/chat")[-1]["options"] == {"num_predict": 9}
    answer, _ = call(ollama, "generate", {"prompt": "hi", "model": "llama3.2:1b"}, mode="legacy")
    assert (answer["model"], answer["text"]) == ("llama3.2:1b", "one two three")
    answer, _ = call(ollama, "embed", {"input": ["a", "b"]})
    assert answer["embeddings"] == [[0.5, 0.25], [0.5, 0.25]]
    answer, progress = call(ollama, "pull_model", {"model": "llama3.2"})
    assert (answer, progress) == ({"model": "llama3.2", "status": "success"}, ["pulling", "success"])


def test_what_goes_wrong_in_a_tool_is_its_answer(ollama: Running, behind: Upstream) -> None:
    assert "model_not_found: model 'x' not found" in call(ollama, "chat", {"prompt": "hi", "model": "x"})[0]
    assert "bad_request" in call(ollama, "chat")[0]
    assert "bad_request: give a prompt" in call(ollama, "generate", {"prompt": ""})[0]


def test_the_clients_of_ollama_and_openai_talk_through_it(ollama: Running, behind: Upstream) -> None:
    client = ollama_package.Client(ollama.url, trust_env=False)
    assert [model.model for model in client.list().models] == ["tiny:latest", "llama3.2:1b"]
    parts = client.chat("tiny:latest", [{"role": "user", "content": "hi"}], stream=True)
    assert "".join(part.message.content or "" for part in parts) == "one two three"
    http = httpx2.Client(trust_env=False)
    other = openai.OpenAI(base_url=f"{ollama.url}/v1", api_key="x", max_retries=0, http_client=http)
    assert [model.id for model in other.models.list()] == ["tiny:latest", "llama3.2:1b"]


@pytest.fixture(scope="module")
def nothing() -> Iterator[Running]:
    """No Ollama, no model, and a token."""
    address = f"http://u:secret@127.0.0.1:{free_port()}"
    with service("ollama_mcp", OLLAMA_BASE_URL=address, OLLAMA_MCP_TOKEN="right") as running:
        running.http.headers["authorization"] = "Bearer right"
        yield running


def test_with_nothing_behind_it_every_face_says_no_backend(nothing: Running) -> None:
    report = nothing.http.get("/health")
    assert report.json()["status"] == "degraded"
    assert report.json()["checks"] == {"ollama": "upstream_unreachable", "model": "no_backend"}
    for path in ("/api/tags", "/api/version"):
        assert "no model to answer with" in text_of(nothing.http.get(path), 503)
        assert "secret" not in nothing.http.get(path).text
    for path in ("/v1/models", "/", "/ollama/models", "/health/ready"):
        error = error_of(nothing.http.get(path), 503)
        assert error["code"] == "no_backend"
        assert "secret" not in error["message"]
        # What is missing: the model, or already the engine, where the extra could not be fetched.
        assert "python -m examples.fetch_model" in error["message"] or "the extra `llm`" in error["message"]
    for path in ("/api/chat", "/api/embed", "/api/show"):
        assert "no model to answer with" in text_of(nothing.http.post(path, json=CHAT), 503)
    for path in ("/v1/chat/completions", "/ollama/chat", "/ollama/stream/chat"):
        assert error_of(nothing.http.post(path, json=CHAT), 503)["code"] == "no_backend"
    assert nothing.http.get("/ollama/stats").json()["backend"] is None


def test_clients_without_the_token_are_told_so(nothing: Running) -> None:
    http = httpx2.Client(trust_env=False)
    client = openai.OpenAI(base_url=f"{nothing.url}/v1", api_key="wrong", max_retries=0, http_client=http)
    with pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "auth_required"
    with pytest.raises(ollama_package.ResponseError) as also_refused:
        ollama_package.Client(nothing.url, trust_env=False).list()
    assert (also_refused.value.status_code, also_refused.value.error[:4]) == (401, "send")
    with_token = ollama_package.Client(nothing.url, trust_env=False, headers={"authorization": "Bearer right"})
    with pytest.raises(ollama_package.ResponseError) as without_backend:
        with_token.list()
    assert without_backend.value.status_code == 503


def test_a_foreign_host_name_is_misdirected_at_mcp(nothing: Running) -> None:
    response = nothing.http.post("/mcp", json={}, headers={"host": "evil.example"})
    assert error_of(response, 421)["code"] == "invalid_host"


def test_the_backend_changes_when_an_ollama_goes_and_comes_again() -> None:
    port = free_port()
    with ExitStack() as both:
        with upstream(port):
            running = both.enter_context(service("ollama_mcp", OLLAMA_BASE_URL=f"http://127.0.0.1:{port}"))
            answer = running.http.post("/api/chat", json=CHAT)
            assert (answer.status_code, answer.headers["x-portsup-backend"]) == (200, "ollama")
            assert running.http.get("/health").json()["checks"] == {"ollama": "ok"}
        # Whoever asks first finds it gone, even within the time for which a look is believed, and is told so at once.
        assert "no model to answer with" in text_of(running.http.post("/api/chat", json=CHAT), 503)
        assert error_of(running.http.get("/v1/models"), 503)["code"] == "no_backend"
        with upstream(port):
            eventually(lambda: running.http.post("/api/chat", json=CHAT).status_code == 200, within=20, every=0.1)


def test_an_open_stream_that_sigterm_ends_does_not_look_complete(server: Upstream, behind: Upstream) -> None:
    behind.pause = True
    with (
        service("ollama_mcp", OLLAMA_BASE_URL=server.url) as running,
        running.http.stream("POST", "/api/chat", json=CHAT) as response,
    ):
        parts = response.iter_raw()
        next(parts)
        running.process.terminate()
        assert list(json.loads(b"".join(parts))) == ["error"]
        assert running.process.wait(15) == 0
        assert "Traceback" not in running.output()
