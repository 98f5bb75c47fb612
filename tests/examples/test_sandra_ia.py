"""Sandra IA between its two backends, which are the real ones."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
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


def calls(running: Running, *asked: tuple[str, dict[str, Any]], mode: str = "auto") -> list[Any]:
    """What the tools give, or the text of their error."""

    async def conversation() -> list[Any]:
        async with Client(f"{running.url}/mcp", mode=mode) as session:
            return [await session.call_tool(tool, arguments) for tool, arguments in asked]

    answers = []
    for result in asyncio.run(conversation()):
        assert isinstance(result.content[0], TextContent)
        answers.append(result.content[0].text if result.is_error else result.structured_content)
    return answers


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
    for model in ("sandra-compare", "sandra-fuse"):
        for stream in (False, True):
            body = {**chat("why?", stream=stream), "model": model}
            assert len(error_of(lonely.http.post("/v1/chat/completions", json=body), 503)["backends"]) == 2


def test_older_paths_answer_and_explain(sandra: Running, behind: Upstream) -> None:
    answer = sandra.http.post("/chat", json={"message": "translate this to Spanish"}).json()
    assert (answer["success"], answer["task"], answer["response"]) == (True, "translation", TEXT)
    both = sandra.http.post("/chat", json={"message": "translate this", "mode": "compare"}).json()["answers"]
    assert [one["backend"] for one in both] == ["groq-api", "ollama-mcp"]
    fused = sandra.http.post("/chat", json={"message": "translate this", "mode": "fuse"}).json()
    assert (fused["mode"], fused["response"], len(fused["answers"])) == ("fuse", TEXT, 2)
    routed = sandra.http.post("/route-message", json={"message": "fix my python code"}).json()
    assert (routed["task"], routed["needs_model"]) == ("code", True)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/chat/completions", b"{", 400),
        ("/v1/chat/completions", b"[]", 422),
        ("/v1/chat/completions", b"{}", 400),
        ("/v1/chat/completions", b'{"messages": []}', 400),
        ("/v1/chat/completions", b'{"messages": ["a"]}', 400),
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


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_ask_classify_and_identity_are_tools(sandra: Running, behind: Upstream, mode: str) -> None:
    asked, compared, fused, task, spanish, english = calls(
        sandra,
        ("ask", {"text": "why is the sky blue?"}),
        ("ask", {"text": "why?", "mode": "compare"}),
        ("ask", {"text": "why?", "mode": "fuse"}),
        ("classify", {"text": "python code"}),
        ("identity", {}),
        ("identity", {"language": "en"}),
        mode=mode,
    )
    assert (asked["task"], asked["backend"], asked["response"]) == ("reasoning", "groq-api", TEXT)
    assert [one["response"] for one in compared["answers"]] == [TEXT, TEXT]
    assert (fused["mode"], fused["response"], len(fused["answers"])) == ("fuse", TEXT, 2)
    assert task["task"] == "code"
    assert "Soy Sandra" in spanish["result"]
    assert "I am Sandra" in english["result"]


def test_the_tools_say_what_they_may_do(sandra: Running) -> None:
    async def tools() -> Any:
        async with Client(f"{sandra.url}/mcp") as session:
            return (await session.list_tools()).tools

    listed = {tool.name: tool for tool in asyncio.run(tools())}
    assert set(listed) == {"ask", "classify", "identity"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in listed.values())
    assert listed["ask"].input_schema["properties"]["mode"]["enum"] == ["auto", "single", "compare", "fuse"]


def test_no_news_of_resources_are_promised(lonely: Running) -> None:
    async def listens() -> Any:
        async with (
            Client(f"{lonely.url}/mcp") as session,
            session.listen(tools_list_changed=True, resource_subscriptions=["file:///etc/passwd"]) as news,
        ):
            return news.honored

    honored = asyncio.run(listens())
    assert (honored.tools_list_changed, honored.resource_subscriptions) == (True, None)


def test_a_tool_call_that_is_wrong_says_why(sandra: Running) -> None:
    empty, mode, nothing, language = calls(
        sandra,
        ("ask", {"text": " "}),
        ("ask", {"text": "a", "mode": "all"}),
        ("classify", {"text": ""}),
        ("identity", {"language": "fr"}),
    )
    assert "invalid_message: the message is empty" in empty
    assert "mode" in mode
    assert "invalid_message" in nothing
    assert "invalid_language: `language` must be one of es, en" in language


def test_openais_client_works_with_every_mode(sandra: Running, behind: Upstream) -> None:
    messages: Any = [{"role": "user", "content": "why is the sky blue?"}]
    with openai.OpenAI(base_url=f"{sandra.url}/v1", api_key="any", max_retries=0) as client:
        models = [model.id for model in client.models.list().data]
        assert models == ["sandra", "sandra-single", "sandra-compare", "sandra-fuse"]
        assert client.models.retrieve("sandra-fuse").owned_by == "portsup"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gpt-7")
        for model in models:
            behind.seen.clear()
            plain = client.chat.completions.create(model=model, messages=messages)
            assert plain.choices[0].message.content == TEXT
            several = model == "sandra-compare"
            assert [choice.index for choice in plain.choices] == [0, 1][: 1 + several]
            said = {0: "", 1: ""}
            for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
                for choice in chunk.choices:
                    said[choice.index] += choice.delta.content or ""
            assert said == {0: TEXT, 1: TEXT if several else ""}


def test_fuse_makes_one_answer_out_of_what_each_said(sandra: Running, behind: Upstream) -> None:
    body = {**chat("why is the sky blue?", temperature=0.5), "model": "sandra-fuse"}
    response = sandra.http.post("/v1/chat/completions", json=body)
    assert response.headers["x-sandra-mode"] == "fuse"
    assert [one["backend"] for one in response.json()["sandra"]["answers"]] == ["groq-api", "ollama-mcp"]
    asked = behind.asked("/openai/v1/chat/completions")
    assert len(asked) == 2
    assert len(behind.asked("/v1/chat/completions")) == 1
    prompt, message = asked[-1]["messages"]
    assert (prompt["role"], "You are Sandra" in prompt["content"]) == ("system", True)
    assert message["content"].startswith("why is the sky blue?\n\nBelow are answers")
    assert message["content"].count(TEXT) == 2
    assert asked[-1]["temperature"] == 0.5


def test_one_answer_alone_needs_no_fusing(sandra: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {KEY}": (500, {})}
    for stream in (False, True):
        body = {**chat("why?", stream=stream), "model": "sandra-fuse"}
        assert "two" in sandra.http.post("/v1/chat/completions", json=body).text
        compared = sandra.http.post("/v1/chat/completions", json={**body, "model": "sandra-compare"}).text
        assert "two" in compared
        assert "refused" in compared  # what the other one said
    assert len(behind.asked("/v1/chat/completions")) == 4


def test_functions_are_for_one_model_alone(sandra: Running, behind: Upstream) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    for model, status in (("sandra-fuse", 422), ("sandra-compare", 422), ("sandra", 200)):
        body = {**chat("why?", tools=tools), "model": model}
        assert sandra.http.post("/v1/chat/completions", json=body).status_code == status
    assert behind.asked("/openai/v1/chat/completions")[-1]["tools"] == tools


def test_a_picture_goes_to_a_model_that_sees(sandra: Running, behind: Upstream) -> None:
    parts = [
        {"type": "text", "text": "hola"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    body = {"messages": [{"role": "user", "content": parts}]}
    assert sandra.http.post("/v1/chat/completions", json=body).headers["x-sandra-task"] == "vision"
    assert behind.asked("/openai/v1/chat/completions")[0]["messages"][1:] == body["messages"]


def test_what_the_client_tells_the_model_stands(sandra: Running, behind: Upstream) -> None:
    told = [{"role": "system", "content": "Rhyme."}, {"role": "user", "content": "why?"}]
    assert sandra.http.post("/v1/chat/completions", json={"messages": told}).status_code == 200
    assert behind.asked("/openai/v1/chat/completions")[0]["messages"] == told


def test_a_tool_call_that_fails_says_why(lonely: Running) -> None:
    (error,) = calls(lonely, ("ask", {"text": "why?"}))
    assert "all_backends_failed: groq-api: upstream_unreachable" in error
    assert "ollama-mcp: upstream_not_configured" in error


def test_health_names_each_backend(sandra: Running, lonely: Running) -> None:
    assert lonely.http.get("/health").json()["checks"] == {
        "groq-api": "upstream_unreachable",
        "ollama-mcp": "upstream_not_configured",
    }
    checks = sandra.http.get("/health").json()["checks"]
    assert checks["ollama-mcp"] == "ok"
    assert sandra.http.get("/health/ready").status_code == 200
