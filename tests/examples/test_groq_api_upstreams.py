"""Groq API with upstreams that are strange, gone, or another one than Groq."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.running import Running, error_of, run_to_end, service
from tests.examples.stranger import Stranger, stranger
from tests.examples.upstream import WORDS, Upstream, upstream
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live
CHAT = {"model": "llama-3.3-70b-versatile", "messages": [{"role": "user", "content": "hi"}]}
KEY = "gsk_secret"
TOKEN = "a-token-for-the-peer"
PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def odd() -> Iterator[Stranger]:
    with stranger() as state:
        yield state


@pytest.fixture(scope="module")
def proxy(odd: Stranger) -> Iterator[Running]:
    """In front of something that may answer anything."""
    with service("groq_api", GROQ_BASE_URL=odd.url, GROQ_API_KEY=KEY, GROQ_TIMEOUT="0.6", LOG_LEVEL="debug") as running:
        yield running
        running.terminate()
        assert KEY not in running.output()
        assert "Traceback" not in running.output()


@pytest.mark.parametrize(
    ("reply", "holds", "status", "code"),
    [
        (b"", True, 504, "upstream_timeout"),
        (b"HTTP/1.1 200 OK\r\ncontent-", True, 504, "upstream_timeout"),
        (b"", False, 502, "upstream_error"),
        (b"220 mail.example ESMTP\r\n", False, 502, "upstream_error"),
        (b"\x16\x03\x01\x02\x00\x01\x00", False, 502, "upstream_error"),
        (b"{request}", False, 502, "upstream_error"),
        (b"HTTP/1.1 200 OK\r\nnot a header {request}\r\n\r\n", False, 502, "upstream_error"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n", False, 502, "upstream_error"),
    ],
    ids=["silent", "half a head", "closes", "other protocol", "binary", "echo", "key in a header", "endless header"],
)
def test_an_upstream_that_answers_nothing_or_nonsense(
    proxy: Running, odd: Stranger, reply: bytes, holds: bool, status: int, code: str
) -> None:
    odd.will(reply, holds=holds)
    response = proxy.http.post(PATH, json=CHAT)
    assert error_of(response, status)["code"] == code
    assert KEY not in response.text
    assert KEY not in proxy.http.get("/health").text
    assert proxy.http.get("/stats").json()["running"] == 0


def test_a_stream_that_stops_in_the_middle_says_so(proxy: Running, odd: Stranger) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    for reply, holds, code in (
        (head + b"9\r\ndata: 1\n\n\r\n", True, "upstream_timeout"),
        (head + b"9\r\ndata: 1\n\n\r\n", False, "upstream_broke_off"),
        (head + b"9\r\ndata: 1\n\n\r\nnonsense {request}", False, "upstream_broke_off"),
    ):
        odd.will(reply, holds=holds)
        text = proxy.http.post(PATH, json={**CHAT, "stream": True}).text
        assert text.startswith("data: 1\n\n")
        assert json.loads(text.rpartition("data: ")[2])["error"]["code"] == code
        assert KEY not in text


def test_repeated_headers_come_back_and_those_of_the_connection_do_not(proxy: Running, odd: Stranger) -> None:
    odd.will(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLink: <a>\r\nLink: <b>\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"
        b"Set-Cookie: a=b\r\nX-Groq-Region: eu\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\nok"
    )
    response = proxy.http.get("/v1/models")
    assert response.text == "ok"
    assert response.headers.get_list("link") == ["<a>", "<b>"]
    assert response.headers["x-groq-region"] == "eu"
    assert response.headers["date"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert not {"x-hop", "set-cookie"} & set(response.headers)


def test_refused_keys_rest_for_ten_minutes(behind: Upstream) -> None:
    keys = ("gsk_one", "gsk_two")
    behind.refusals = {f"Bearer {keys[0]}": (401, {"retry-after": "1"})}
    with service("groq_api", GROQ_BASE_URL=f"{behind.url}/v1/", GROQ_API_KEY=",".join(keys)) as running:
        for _ in range(2):
            assert running.http.post(PATH, json=CHAT).status_code == 200
        assert {path for _, path, _, _ in behind.seen} == {PATH}  # not Groq, whose paths begin with /openai
        first, second = running.http.get("/stats").json()["keys"]
        assert (first["available"], first["why"], second["available"]) == (False, "refused", True)
        assert 590 < first["back_in_s"] <= 600
        behind.refusals[f"Bearer {keys[1]}"] = (401, {})
        response = running.http.post(PATH, json=CHAT)
        assert error_of(response, 503)["code"] == "all_keys_limited"
        assert 590 < int(response.headers["retry-after"]) <= 600
        running.terminate()
        assert "a key rests" in running.output()
        assert not any(key in running.output() for key in keys)


def publish(path: Path, peer: Upstream) -> None:
    entry = {"port": int(peer.url.rpartition(":")[2]), "host": "127.0.0.1", "url": peer.url, "pool": []}
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"stack": "sandra", "instance": 1, "services": {"ollama-mcp": entry}}))
    new.replace(path)


def test_a_fallback_answers_while_groq_is_away_and_no_longer(behind: Upstream, tmp_path: Path) -> None:
    port = free_port()
    publish(tmp_path / "endpoints.json", behind)
    variables = {
        "GROQ_BASE_URL": f"http://127.0.0.1:{port}",
        "GROQ_API_KEY": KEY,
        "GROQ_FALLBACK_URL": "ollama-mcp",
        "OLLAMA_MCP_TOKEN": TOKEN,
        "PORTSUP_ENDPOINTS": str(tmp_path / "endpoints.json"),
    }
    with service("groq_api", **variables) as running:

        def is_fallback() -> bool:
            response = running.http.post(PATH, json=CHAT)
            assert response.status_code == 200
            assert response.json()["choices"][0]["message"]["content"] == "".join(WORDS)
            if response.headers.get("x-portsup-backend") != "fallback":
                return False
            assert response.json()["service_tier"] == "default"  # clients of Groq read it: LiteLLM does
            return True

        assert is_fallback()
        (asked,) = behind.asked(PATH)
        assert asked == {**CHAT, "model": behind.models[0]}  # it has no such model: its first
        assert {headers["authorization"] for _, _, headers, _ in behind.seen} == {f"Bearer {TOKEN}"}
        assert error_of(running.http.post("/v1/audio/speech", json=CHAT), 503)["code"] == "upstream_unreachable"
        health = running.http.get("/health").json()
        assert (health["status"], health["checks"]["upstream"]) == ("degraded", "upstream_unreachable")
        assert running.http.get("/health/ready").status_code == 200
        streamed = running.http.post(PATH, json={**CHAT, "stream": True})
        assert streamed.headers["x-portsup-backend"] == "fallback"
        assert streamed.text.endswith("data: [DONE]\n\n")

        with upstream() as moved:  # the peer, on another port
            moved.models = ("llama-3.3-70b-versatile:latest",)
            publish(tmp_path / "endpoints.json", moved)
            assert is_fallback()
            assert [asked["model"] for asked in moved.asked(PATH)] == ["llama-3.3-70b-versatile:latest"]
            with upstream(port) as back:
                eventually(lambda: not is_fallback(), what="an answer of Groq's")
                assert running.http.get("/health").json()["checks"]["upstream"] == "ok"
                back.refusals = {f"Bearer {KEY}": (503, {})}
                assert is_fallback()
                back.refusals = {f"Bearer {KEY}": (429, {"retry-after": "0.3"})}
                assert is_fallback()
        # Neither is there now: the error tells of both.
        error = eventually(lambda: error_of(running.http.post(PATH, json=CHAT), 503))
        assert error["code"] in ("upstream_unreachable", "all_keys_limited")
        assert error["fallback"]["code"] == "upstream_unreachable"
        assert running.http.get("/stats").json()["fallback"] >= 4
        running.terminate()
        assert not any(secret in running.output() for secret in (KEY, TOKEN))


def test_without_a_key_the_fallback_at_an_address_answers(behind: Upstream) -> None:
    with service("groq_api", GROQ_FALLBACK_URL=f"{behind.url}/v1/", GROQ_FALLBACK_MODEL="llama3.2:1b") as running:
        response = running.http.post(PATH, json=CHAT)
        assert (response.status_code, response.headers["x-portsup-backend"]) == (200, "fallback")
        assert [asked["model"] for asked in behind.asked(PATH)] == ["llama3.2:1b"]
        assert [model["id"] for model in running.http.get("/v1/models").json()["data"]] == list(behind.models)
        assert running.http.get("/health").json()["checks"]["keys"] == "upstream_not_configured"
        assert error_of(running.http.post("/v1/audio/speech", json=CHAT), 503)["code"] == "upstream_not_configured"


def test_a_host_that_has_no_address_can_not_be_reached() -> None:
    with service("groq_api", GROQ_BASE_URL="http://groq.invalid", GROQ_API_KEY=KEY) as running:
        assert error_of(running.http.get("/v1/models"), 503)["code"] == "upstream_unreachable"
        assert error_of(running.http.get("/health/ready"), 503)["code"] == "upstream_unreachable"


@pytest.mark.parametrize(
    "variables",
    [
        {"GROQ_API_KEY": f"{KEY},gsk_\u00fc"},
        {"GROQ_FALLBACK_URL": "localhost:11434/v1"},
        {"GROQ_BASE_URL": "http://"},
    ],
)
def test_a_setting_that_can_not_work_is_named_at_once(variables: dict[str, str]) -> None:
    ended = run_to_end("groq_api", PORT=str(free_port()), **variables)
    assert ended.returncode == 2
    assert next(reversed(variables)) in ended.stderr
    assert KEY not in ended.stderr
    assert ended.stderr.count("\n") == 1
