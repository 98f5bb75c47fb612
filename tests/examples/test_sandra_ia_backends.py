"""Sandra IA between backends that answer nonsense, are slow, or move."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.examples.running import Running, asking, error_of, service
from tests.examples.stranger import Stranger, stranger
from tests.examples.upstream import WORDS, Upstream, upstream
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
PATH = "/v1/chat/completions"
TEXT = "".join(WORDS)
TOKEN = "a-token-of-the-stack"
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<h1>"
NO_MODEL = b'{"error": {"code": "model_decommissioned"}}'
GONE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: %d\r\n\r\n%s" % (len(NO_MODEL), NO_MODEL)


def chat(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "what time is it"}], **more}


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.fixture(scope="module")
def odd() -> Iterator[Stranger]:
    with stranger() as state:
        yield state


@pytest.fixture(scope="module")
def sandra(odd: Stranger, server: Upstream) -> Iterator[Running]:
    """The first backend may answer anything, the second one answers."""
    with service("sandra_ia", GROQ_API_URL=odd.url, OLLAMA_MCP_URL=server.url) as running:
        yield running
        running.terminate()
        assert "Traceback" not in running.output()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"220 mail.example ESMTP\r\n",
        HTML,
        GONE,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        SSE + chunked(b": ping\n\n"),
        SSE + chunked(b"data: [DONE]\n\n"),
        SSE + chunked(b'data: {"error": {"message": "over", "code": "overloaded"}}\n\n'),
    ],
    ids=["closes", "other protocol", "page", "no such model", "empty", "no word", "only the end", "error"],
)
def test_a_backend_that_has_no_answer_gives_way_to_the_next(
    sandra: Running, odd: Stranger, behind: Upstream, reply: bytes, stream: bool
) -> None:
    odd.will(reply)
    response = sandra.http.post(PATH, json=chat(stream=stream))
    assert (response.status_code, response.headers["x-sandra-backend"]) == (200, "ollama-mcp")
    assert "two" in response.text
    assert odd.asked.is_set()


def test_a_backend_that_keeps_us_waiting_is_asked_last_for_a_while(odd: Stranger, behind: Upstream) -> None:
    with service("sandra_ia", GROQ_API_URL=odd.url, OLLAMA_MCP_URL=behind.url, SANDRA_TIMEOUT="0.3") as running:
        for reply, stream in ((b"", False), (SSE, True)):
            odd.will(reply, holds=True)

            def is_asked(stream: bool = stream) -> bool:
                response = running.http.post(PATH, json=chat(stream=stream))
                assert response.headers["x-sandra-backend"] == "ollama-mcp"
                return odd.asked.is_set()

            eventually(is_asked, every=0.3, what="a question to the first backend")
            odd.asked.clear()
            assert not is_asked()  # it would have cost another 0.3 s


def test_what_a_client_that_has_left_asked_for_is_cancelled(sandra: Running, odd: Stranger) -> None:
    for body in (chat(), chat(stream=True), chat(model="sandra-compare"), chat(model="sandra-compare", stream=True)):
        event = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
        odd.will(SSE + chunked(event) if body.get("stream") else b"", holds=True)
        with asking(sandra, PATH, body):
            assert odd.asked.wait(20)
        assert odd.left.wait(20), body


def test_a_tool_call_that_is_given_up_is_cancelled(sandra: Running, odd: Stranger) -> None:
    async def give_up() -> None:
        # By its name: a client that has to wait for the first answer falls back to the older protocol, where nothing
        # tells the server that a call was given up.
        async with Client(f"{sandra.url}/mcp", mode="2026-07-28") as session:
            await session.list_tools()
            odd.will(b"", holds=True)
            asking = asyncio.create_task(session.call_tool("ask", {"text": "what time is it"}))
            assert await asyncio.to_thread(odd.asked.wait, 20)
            asking.cancel()
            await asyncio.wait({asking})
            assert await asyncio.to_thread(odd.left.wait, 20)

    asyncio.run(give_up())


def test_a_stream_that_stops_in_the_middle_says_so(sandra: Running, odd: Stranger) -> None:
    event = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
    odd.will(SSE + chunked(event))
    text = sandra.http.post(PATH, json=chat(stream=True)).text
    assert text.startswith(event.decode())
    assert json.loads(text.rpartition("data: ")[2])["error"]["code"] == "upstream_broke_off"
    compared = sandra.http.post(PATH, json=chat(stream=True, model="sandra-compare")).text
    assert '"code": "upstream_broke_off"' in compared
    assert "three" in compared
    assert compared.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("model", ["sandra", "sandra-compare", "sandra-fuse"])
def test_an_answer_may_end_within_a_letter_and_be_another_ones(sandra: Running, odd: Stranger, model: str) -> None:
    body = rb'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "so \ud83d"}}]}'
    # It hangs up after each answer, and says so, or else the next request may be sent to where nobody is any more.
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\nx-portsup-backend: fallback\r\ncontent-length: %d\r\n\r\n"
    odd.will(head % len(body) + body)
    response = sandra.http.post(PATH, json=chat(model=model))
    assert response.json()["choices"][0]["message"]["content"] == "so \ud83d"
    assert response.headers.get("x-portsup-backend") == ("fallback" if model == "sandra" else None)
    mode = model.rpartition("-")[2].replace("sandra", "single")
    answered = sandra.http.post("/chat", json={"message": "what time is it", "mode": mode}).text
    assert "so ?" in answered


def test_one_backend_is_enough_to_be_ready_and_too_few_to_be_well(sandra: Running, odd: Stranger) -> None:
    odd.will(b"")
    health = eventually(
        lambda: (health := sandra.http.get("/health").json())["checks"]["ollama-mcp"] == "ok" and health
    )
    assert health["status"] == "degraded"
    assert health["checks"]["groq-api"] != "ok"
    assert sandra.http.get("/health/ready").status_code == 200


def publish(path: Path, peer: Upstream) -> None:
    entry = {"port": int(peer.url.rpartition(":")[2]), "host": "127.0.0.1", "url": peer.url, "pool": []}
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"stack": "sandra", "instance": 1, "services": {"groq-api": entry, "ollama-mcp": entry}}))
    new.replace(path)


def test_backends_are_followed_and_get_token_and_trace(behind: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    publish(path, behind)
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"authorization": f"Bearer {TOKEN}", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    with service("sandra_ia", PORTSUP_ENDPOINTS=str(path), PORTSUP_EXAMPLE_TOKEN=TOKEN) as running:
        assert error_of(running.http.post(PATH, json=chat()), 401)["code"] == "auth_required"
        wrong = running.http.post(PATH, json=chat(), headers={"authorization": "Bearer wrong"})
        assert error_of(wrong, 401)["code"] == "auth_required"
        assert running.http.post(PATH, json=chat(model="sandra-compare"), headers=headers).status_code == 200
        asked = [seen for _, where, seen, _ in behind.seen if where == PATH]
        assert len(asked) == 2
        assert {seen["authorization"] for seen in asked} == {f"Bearer {TOKEN}"}
        assert {seen["traceparent"].split("-")[1] for seen in asked} == {trace}
        with upstream() as moved:
            publish(path, moved)
            assert running.http.post(PATH, json=chat(), headers=headers).headers["x-sandra-backend"] == "groq-api"
            assert len(moved.asked(PATH)) == 1
        # Back, and known to be there at once, whatever was remembered of the other place.
        publish(path, behind)
        assert running.http.post(PATH, json=chat(), headers=headers).status_code == 200
        assert running.http.get("/health").json()["checks"] == {"groq-api": "ok", "ollama-mcp": "ok"}
        running.terminate()
        assert TOKEN not in running.output()
        assert trace in running.output()


def test_while_a_backend_loads_its_model_nothing_is_settled() -> None:
    body = json.dumps({"error": {"code": "model_loading", "message": "soon"}}).encode()
    head = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    with stranger() as loading:
        loading.will(head % len(body) + body)
        with service("sandra_ia", OLLAMA_MCP_URL=loading.url) as running:
            error = error_of(running.http.get("/health/ready?settled"), 503)
            assert "ollama-mcp: model_loading" in error["message"]
            loading.will(b"")  # and is gone
            eventually(lambda: running.http.get("/health/ready?settled").status_code == 200)
            assert running.http.get("/health/ready").status_code == 503
