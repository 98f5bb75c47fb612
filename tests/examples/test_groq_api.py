"""Groq API in front of a server that can refuse keys."""

import socket
from collections.abc import Iterator

import pytest

from tests.examples.running import Running, error_of, service
from tests.examples.upstream import WORDS, Upstream
from tests.support.ports import free_port

pytestmark = pytest.mark.live
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
KEYS = ("gsk_first", "gsk_second")


@pytest.fixture(scope="module")
def shared(server: Upstream) -> Iterator[Running]:
    """For tests that leave the keys as they are."""
    yield from started(server)


@pytest.fixture
def groq(server: Upstream, behind: Upstream) -> Iterator[Running]:
    """With keys that nobody has used yet."""
    yield from started(server)


def started(server: Upstream) -> Iterator[Running]:
    with service("groq_api", GROQ_BASE_URL=server.url, GROQ_API_KEY=",".join(KEYS), GROQ_TIMEOUT="10") as running:
        yield running
        running.terminate()
        assert not any(key in running.output() for key in KEYS)


def used_keys(behind: Upstream) -> list[str]:
    return [headers["authorization"].removeprefix("Bearer ") for _, _, headers, _ in behind.seen]


def test_requests_go_through_as_they_are_with_keys_in_turn(groq: Running, behind: Upstream) -> None:
    mine = {"authorization": "Bearer mine"}
    for path in ("/openai/v1/chat/completions", "/v1/chat/completions", "/api/v1/groq/chat"):
        response = groq.http.post(path, json=CHAT, headers=mine)
        assert response.json()["choices"][0]["message"]["content"] == "".join(WORDS)
    assert {path for _, path, _, _ in behind.seen} == {"/openai/v1/chat/completions"}
    assert used_keys(behind) == [KEYS[0], KEYS[1], KEYS[0]]
    assert behind.asked("/openai/v1/chat/completions") == [CHAT] * 3
    groq.http.get("/v1/models?a=%2F")
    assert behind.seen[-1][1] == "/openai/v1/models?a=%2F"


def test_an_upload_goes_through_byte_by_byte(shared: Running, behind: Upstream) -> None:
    files = {"file": ("a.wav", bytes(range(256)) * 1000, "audio/wav")}
    assert shared.http.post("/openai/v1/audio/transcriptions", files=files).status_code == 200
    _, path, headers, body = behind.seen[-1]
    assert path == "/openai/v1/audio/transcriptions"
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert bytes(range(256)) * 1000 in body


def test_an_answer_streams_through_as_it_is_made(shared: Running, behind: Upstream) -> None:
    behind.pause = True
    with shared.http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as response:
        parts = response.iter_raw()
        assert WORDS[0].encode() in next(parts)
        behind.go_on.set()
        assert b"".join(parts).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(("status", "why"), [(429, "limited"), (401, "refused")])
def test_a_key_that_is_limited_or_refused_gives_way_to_the_next(
    groq: Running, behind: Upstream, status: int, why: str
) -> None:
    behind.refusals = {f"Bearer {KEYS[0]}": (status, {"retry-after": "40.5"})}
    for _ in range(3):
        assert groq.http.post("/v1/chat/completions", json=CHAT).status_code == 200
    assert used_keys(behind) == [KEYS[0], KEYS[1], KEYS[1], KEYS[1]]
    first, second = groq.http.get("/stats").json()["keys"]
    assert (first["available"], first["why"], second["available"]) == (False, why, True)


def test_with_all_keys_resting_it_says_when_to_come_back(groq: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {key}": (429, {"retry-after": "40.5"}) for key in KEYS}
    response = groq.http.post("/v1/chat/completions", json=CHAT)
    assert error_of(response, 503)["code"] == "all_keys_limited"
    assert 30 <= int(response.headers["retry-after"]) <= 41
    assert len(behind.seen) == 2
    assert groq.http.get("/health").json()["checks"] == {"keys": "all_keys_limited"}
    assert groq.http.get("/health/ready").status_code == 503


def test_an_upstream_that_limits_without_a_pause_is_not_asked_for_ever(groq: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {key}": (429, {"retry-after": "0"}) for key in KEYS}
    assert error_of(groq.http.post("/v1/chat/completions", json=CHAT), 503)["code"] == "all_keys_limited"
    assert len(behind.seen) == 2


def test_other_errors_of_the_upstream_are_passed_on(shared: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {key}": (400, {"x-request-id": "r1"}) for key in KEYS}
    response = shared.http.post("/v1/chat/completions", json=CHAT)
    assert (response.status_code, response.headers["x-request-id"]) == (400, "r1")
    assert response.json()["error"]["code"] == "refused"


def test_figures_are_counted_for_people_and_for_prometheus(groq: Running, behind: Upstream) -> None:
    groq.http.post("/v1/chat/completions", json=CHAT)
    groq.http.get("/v1/nothing")
    assert groq.http.get("/stats").json()["requests"] == {"200": 1, "404": 1}
    metrics = groq.http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'groq_requests_total{end="200"} 1' in metrics.text
    assert "groq_keys_available 2" in metrics.text
    assert not any(key in metrics.text + groq.http.get("/stats").text for key in KEYS)


def test_an_upstream_that_is_not_there_or_silent_is_told_apart() -> None:
    with service("groq_api", GROQ_BASE_URL=f"http://127.0.0.1:{free_port()}", GROQ_API_KEY="k") as running:
        assert error_of(running.http.get("/v1/models"), 503)["code"] == "upstream_unreachable"
        assert running.http.get("/health").status_code == 200
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with service("groq_api", GROQ_BASE_URL=url, GROQ_API_KEY="k", GROQ_TIMEOUT="0.3") as running:
            assert error_of(running.http.get("/v1/models"), 504)["code"] == "upstream_timeout"
