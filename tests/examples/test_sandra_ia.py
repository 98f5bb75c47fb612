"""Sandra IA between its two backends, which are the real ones."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from tests.examples.running import Running, error_of, service, services
from tests.examples.upstream import WORDS, Upstream
from tests.support.ports import free_port

pytestmark = pytest.mark.live
TEXT = "".join(WORDS)
KEY = "gsk_only"


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture(scope="module")
def sandra(server: Upstream) -> Iterator[Running]:
    """With both backends."""
    variables = {
        "groq_api": {"GROQ_BASE_URL": server.url, "GROQ_API_KEY": KEY},
        "ollama_mcp": {"OLLAMA_BASE_URL": server.url},
    }
    with services(variables, ("groq_api", "ollama_mcp")) as backends:
        urls = {f"PORTSUP_{name.upper()}_URL": running.url for name, running in backends.items()}
        with service("sandra_ia", **urls) as running:
            yield running


@pytest.fixture(scope="module")
def lonely() -> Iterator[Running]:
    """With a backend that is not there, and one that was never heard of."""
    with service("sandra_ia", PORTSUP_GROQ_API_URL=f"http://127.0.0.1:{free_port()}") as running:
        yield running


def call(running: Running, tool: str, **arguments: Any) -> Any:
    async def conversation() -> Any:
        async with Client(f"{running.url}/mcp") as session:
            return await session.call_tool(tool, arguments)

    result = asyncio.run(conversation())
    if result.is_error:
        assert isinstance(result.content[0], TextContent)
        return result.content[0].text
    return result.structured_content


def test_a_question_goes_to_the_model_of_its_task(sandra: Running, behind: Upstream) -> None:
    response = sandra.http.post("/v1/chat/completions", json=chat("debug this function", temperature=0.5))
    assert response.json()["choices"][0]["message"]["content"] == TEXT
    assert response.headers["x-sandra-task"] == "code"
    assert response.headers["x-sandra-backend"] == "groq-api"
    (asked,) = behind.asked("/openai/v1/chat/completions")
    assert (asked["model"], asked["temperature"]) == ("openai/gpt-oss-120b", 0.5)


def test_an_answer_streams_through_as_it_is_made(sandra: Running, behind: Upstream) -> None:
    behind.pause = True
    with sandra.http.stream("POST", "/v1/chat/completions", json=chat("what time is it", stream=True)) as response:
        assert response.headers["content-type"] == "text/event-stream"
        parts = response.iter_raw()
        assert WORDS[0].encode() in next(parts)
        behind.go_on.set()
        assert b"".join(parts).endswith(b"data: [DONE]\n\n")


def test_a_greeting_is_answered_without_any_backend(lonely: Running) -> None:
    response = lonely.http.post("/v1/chat/completions", json=chat("hola"))
    assert response.headers["x-sandra-backend"] == "identity"
    assert response.json()["choices"][0]["message"]["content"].startswith("Soy Sandra")
    streamed = lonely.http.post("/v1/chat/completions", json=chat("who are you", stream=True)).text
    events = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
    assert json.loads(events[0])["choices"][0]["delta"]["content"].startswith("I am Sandra")
    assert events[-1] == "[DONE]"


def test_the_next_backend_answers_when_one_can_not(sandra: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {KEY}": (429, {"retry-after": "0"})}
    response = sandra.http.post("/v1/chat/completions", json=chat("hi there, what is new"))
    assert response.headers["x-sandra-backend"] == "ollama-mcp"
    (asked,) = behind.asked("/v1/chat/completions")
    assert asked["model"] == "llama3.2:1b"  # the wanted llama3.2, as it is installed
    assert sandra.http.get("/stats").json()["failures"]["groq-api"] >= 1


def test_a_model_can_be_chosen_by_name(sandra: Running, behind: Upstream) -> None:
    sandra.http.post("/v1/chat/completions", json={**chat("hola"), "model": "ollama/tiny"})
    assert [asked["model"] for asked in behind.asked("/v1/chat/completions")] == ["tiny:latest"]


def test_a_request_that_is_wrong_is_not_tried_elsewhere(sandra: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {KEY}": (400, {})}
    error = error_of(sandra.http.post("/v1/chat/completions", json=chat("a question")), 400)
    assert (error["code"], error["backend"]) == ("refused", "groq-api")
    assert behind.asked("/v1/chat/completions") == []


def test_when_all_fail_it_lists_what_each_said(lonely: Running) -> None:
    for path, body in (("/v1/chat/completions", chat("why?")), ("/chat", {"message": "why?"})):
        error = error_of(lonely.http.post(path, json=body), 503)
        assert error["code"] == "all_backends_failed"
        codes = {one["backend"]: one["code"] for one in error["backends"]}
        assert codes == {"groq-api": "upstream_unreachable", "ollama-mcp": "upstream_not_configured"}


def test_older_paths_answer_and_explain(sandra: Running, behind: Upstream) -> None:
    answer = sandra.http.post("/chat", json={"message": "translate this to Spanish"}).json()
    assert (answer["success"], answer["task"], answer["response"]) == (True, "translation", TEXT)
    both = sandra.http.post("/chat", json={"message": "translate this", "mode": "compare"}).json()["answers"]
    assert [one["backend"] for one in both] == ["groq-api", "ollama-mcp"]
    routed = sandra.http.post("/route-message", json={"message": "fix my python code"}).json()
    assert (routed["task"], routed["needs_model"]) == ("code", True)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/chat/completions", b"{", 400),
        ("/v1/chat/completions", b"[]", 422),
        ("/v1/chat/completions", b"{}", 422),
        ("/v1/chat/completions", b'{"messages": []}', 422),
        ("/v1/chat/completions", b'{"messages": ["a"]}', 422),
        ("/v1/chat/completions", b"[" * 200_000, 400),
        ("/chat", b"{}", 422),
        ("/chat", b'{"message": " "}', 422),
        ("/chat", b'{"message": "a", "mode": "x"}', 422),
        ("/route-message", b'{"message": 1}', 422),
        ("/chat", b'{"message": "' + b"x" * 5_000_000 + b'"}', 413),
    ],
)
def test_a_body_that_is_wrong_is_the_clients_mistake(sandra: Running, path: str, body: bytes, status: int) -> None:
    error_of(sandra.http.post(path, content=body), status)


def test_ask_classify_and_identity_are_tools(sandra: Running, behind: Upstream) -> None:
    answer = call(sandra, "ask", text="why is the sky blue?")
    assert (answer["task"], answer["backend"], answer["response"]) == ("reasoning", "groq-api", TEXT)
    assert call(sandra, "classify", text="python code")["task"] == "code"
    assert "Sandra" in call(sandra, "identity")["result"]


def test_a_tool_call_that_fails_says_why(lonely: Running) -> None:
    assert "all_backends_failed: groq-api: upstream_unreachable" in call(lonely, "ask", text="why?")


def test_health_names_each_backend(sandra: Running, lonely: Running) -> None:
    assert lonely.http.get("/health").json()["checks"] == {
        "groq-api": "upstream_unreachable",
        "ollama-mcp": "upstream_not_configured",
    }
    checks = sandra.http.get("/health").json()["checks"]
    assert checks["ollama-mcp"] == "ok"
    assert sandra.http.get("/health/ready").status_code == 200
