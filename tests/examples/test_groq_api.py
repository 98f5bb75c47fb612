"""Groq API in front of a server that can refuse keys."""

import contextlib
import socket
from collections.abc import Iterator

import groq
import httpx2
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from examples.groq_api.body import KEPT
from tests.examples.running import Running, asking, error_of, service
from tests.examples.upstream import WORDS, Upstream
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
KEYS = ("gsk_first", "gsk_second")
TEXT = "".join(WORDS)
BYTES = bytes(range(256))
PATH = "/openai/v1/chat/completions"


@pytest.fixture(scope="module")
def shared(server: Upstream) -> Iterator[Running]:
    variables = {"GROQ_BASE_URL": server.url, "GROQ_API_KEY": ",".join(KEYS), "GROQ_TIMEOUT": "10"}
    with service("groq_api", LOG_LEVEL="debug", GROQ_MAX_QUEUE="0", **variables) as running:
        yield running
        running.terminate()
        assert not any(key in running.output() for key in KEYS)
        assert "Traceback" not in running.output()


@pytest.fixture
def proxy(shared: Running, behind: Upstream) -> Iterator[Running]:
    """With both keys at hand; a test lets them rest for a moment at most."""
    yield shared
    behind.go_on.set()

    def is_as_before() -> bool:
        stats = shared.http.get("/stats").json()
        return stats["running"] == 0 and all(key["available"] for key in stats["keys"])

    eventually(is_as_before, what="all keys and places")


def used_keys(behind: Upstream) -> list[str]:
    return [headers["authorization"].removeprefix("Bearer ") for _, _, headers, _ in behind.seen]


def test_requests_go_through_as_they_are_with_keys_in_turn(proxy: Running, behind: Upstream) -> None:
    mine = {"authorization": "Bearer mine", "cookie": "a=b", "mcp-secret": "mine", "x-api-key": "mine"}
    for path in ("/openai/v1/chat/completions", "/v1/chat/completions", "/api/v1/groq/chat", "/groq/chat"):
        response = proxy.http.post(path, json=CHAT, headers=mine)
        assert response.json()["choices"][0]["message"]["content"] == TEXT
        assert response.headers.get("x-api-deprecated") == ("true" if "groq" in path else None)
        assert "x-portsup-backend" not in response.headers
    assert {path for _, path, _, _ in behind.seen} == {PATH}
    used = used_keys(behind)
    assert used in ([*KEYS, *KEYS], [*KEYS[::-1], *KEYS[::-1]])
    assert behind.asked(PATH) == [CHAT] * 4
    assert not {"cookie", "mcp-secret", "x-api-key"} & set(behind.seen[-1][2])
    proxy.http.get("/v1/models?a=%2F")
    assert behind.seen[-1][1] == "/openai/v1/models?a=%2F"


def test_headers_of_the_connection_stay_with_it(proxy: Running, behind: Upstream) -> None:
    headers = {
        "connection": "keep-alive, X-Hop",
        "x-hop": "1",
        "te": "trailers",
        "expect": "100-continue",
        "x-end": "2",
    }
    assert proxy.http.post("/v1/chat/completions", json=CHAT, headers=headers).status_code == 200
    _, _, seen, _ = behind.seen[-1]
    assert seen["x-end"] == "2"
    assert seen["accept-encoding"].startswith("gzip")  # as the client asked: what comes back is not decoded on its way
    assert not {"x-hop", "te", "expect"} & set(seen)
    assert seen["host"] == behind.url.removeprefix("http://")


def test_a_path_can_not_leave_the_api(proxy: Running, behind: Upstream) -> None:
    for path in ("/v1/%2e%2e/%2e%2e/admin", "/openai/v1/..%2f..%2fadmin", "/v1/..%5cadmin"):
        assert error_of(proxy.http.get(path), 400)["code"] == "bad_path"
    assert behind.seen == []


def test_an_upload_goes_through_byte_by_byte(proxy: Running, behind: Upstream) -> None:
    files = {"file": ("a.wav", BYTES * 1000, "audio/wav")}
    assert proxy.http.post("/openai/v1/audio/transcriptions", files=files).status_code == 200
    _, path, headers, body = behind.seen[-1]
    assert path == "/openai/v1/audio/transcriptions"
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert BYTES * 1000 in body


def test_an_upload_of_any_size_goes_through_but_only_a_usual_one_a_second_time(
    proxy: Running, behind: Upstream
) -> None:
    piece = BYTES * 4096

    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    def upload(size: int) -> httpx2.Response:
        # Without a length: that goes on in chunks, as it comes.
        return proxy.http.post("/v1/audio/transcriptions", content=pieces(size // len(piece)))

    behind.refusals = {f"Bearer {key}": (429, {"retry-after": "0.3"}) for key in KEYS[:1]}
    answers = [upload(KEPT + len(piece)) for _ in range(2)]
    through, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert through.json() == {"bytes": KEPT + len(piece)}
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "refused")


def test_a_usual_upload_is_sent_again_with_the_next_key(proxy: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {KEYS[0]}": (429, {"retry-after": "0.3"})}
    size = 3 * 1024 * 1024  # more than is waited for before it is sent
    while not behind.seen or used_keys(behind)[-2:] != list(KEYS):
        assert proxy.http.post("/v1/audio/transcriptions", content=bytes(size)).json() == {"bytes": size}
    assert [len(body) for *_, body in behind.seen[-2:]] == [size, size]


def test_an_answer_streams_through_as_it_is_made(proxy: Running, behind: Upstream) -> None:
    behind.pause = True
    with proxy.http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as response:
        parts = response.iter_raw()
        assert WORDS[0].encode() in next(parts)
        behind.go_on.set()
        assert b"".join(parts).endswith(b"data: [DONE]\n\n")


def test_groqs_own_client_works_through_it(proxy: Running, behind: Upstream) -> None:
    with groq.Groq(base_url=proxy.url, api_key="any", max_retries=0) as client:
        assert [model.id for model in client.models.list().data] == list(behind.models)
        plain = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert plain.choices[0].message.content == TEXT
        streamed = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == TEXT
        client.audio.transcriptions.create(model="whisper", file=("a.wav", BYTES))
        assert BYTES in behind.seen[-1][3]
        behind.refusals = {f"Bearer {key}": (429, {"retry-after": "0.3"}) for key in KEYS}
        with pytest.raises(groq.RateLimitError, match="refused") as error:
            client.chat.completions.create(model="m", messages=[])
        assert error.value.response.headers["retry-after"] == "0.3"


def test_openais_client_works_through_it(proxy: Running, behind: Upstream) -> None:
    with openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="any", max_retries=0) as client:
        plain = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert plain.choices[0].message.content == TEXT
        streamed = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == TEXT
        behind.break_off = True
        with pytest.raises(openai.APIError, match="broke off"):
            list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], stream=True))


def test_a_key_that_is_limited_gives_way_to_the_next(proxy: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {KEYS[0]}": (429, {"retry-after": "0.5"})}
    for _ in range(3):
        assert proxy.http.post("/v1/chat/completions", json=CHAT).status_code == 200
    assert set(used_keys(behind)) == set(KEYS)
    assert len(behind.seen) == 4 or used_keys(behind).count(KEYS[0]) > 1


def test_with_all_keys_resting_for_a_model_groq_has_the_last_word(proxy: Running, behind: Upstream) -> None:
    told = {"retry-after": "3", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30s"}
    behind.refusals = {f"Bearer {key}": (429, told) for key in KEYS}
    scarce = {**CHAT, "model": "scarce"}
    for asked in (2, 2, 2):  # the second and third time nobody is asked
        response = proxy.http.post("/v1/chat/completions", json=scarce)
        assert response.status_code == 429
        assert response.json() == {"error": {"message": "refused", "code": "refused"}}
        assert response.headers["x-ratelimit-reset-requests"] == "30s"
        assert 1 <= int(response.headers["retry-after"]) <= 3
        assert len(behind.seen) == asked
    speech = proxy.http.post("/v1/audio/transcriptions", data={"model": "scarce"}, files={"file": ("a.wav", BYTES)})
    assert speech.status_code == 429
    assert len(behind.seen) == 2
    behind.refusals = {}
    assert proxy.http.post("/v1/chat/completions", json={**CHAT, "model": "other"}).status_code == 200
    assert proxy.http.get("/v1/models").status_code == 200
    assert proxy.http.get("/health/ready").status_code == 200
    keys = proxy.http.get("/stats").json()["keys"]
    assert all(0 < key["limited"]["scarce"] <= 3 and key["why"] == "limited" for key in keys)
    assert proxy.http.get("/stats").json()["limits"]["scarce"] == {"requests": 0}


def test_with_all_keys_resting_it_says_when_to_come_back(proxy: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {key}": (429, {"retry-after": "1.2"}) for key in KEYS}
    response = proxy.http.post("/v1/chat/completions", json=CHAT)
    assert (response.status_code, response.headers["retry-after"]) == (429, "1.2")
    assert proxy.http.post("/v1/chat/completions", json=CHAT).headers["retry-after"] in ("1", "2")
    assert len(behind.seen) == 2
    assert proxy.http.get("/health").json()["checks"] == {"keys": "ok", "upstream": "ok"}  # for other models
    behind.refusals = {}
    eventually(lambda: proxy.http.post("/v1/chat/completions", json=CHAT).status_code == 200)


def test_an_upstream_that_limits_without_a_pause_is_not_asked_for_ever(proxy: Running, behind: Upstream) -> None:
    behind.refusals = {f"Bearer {key}": (429, {"retry-after": "0"}) for key in KEYS}
    assert proxy.http.post("/v1/chat/completions", json=CHAT).status_code == 429
    assert len(behind.seen) == 2


def test_other_errors_of_the_upstream_are_passed_on(proxy: Running, behind: Upstream) -> None:
    for status in (400, 403, 413, 500, 503):
        behind.refusals = {f"Bearer {key}": (status, {"x-request-id": "r1"}) for key in KEYS}
        response = proxy.http.post("/v1/chat/completions", json=CHAT)
        assert (response.status_code, response.headers["x-request-id"]) == (status, "r1")
        assert response.json()["error"]["code"] == "refused"


def test_more_than_its_limit_of_requests_are_told_to_come_back(proxy: Running, behind: Upstream) -> None:
    behind.pause = True
    streams = []
    with contextlib.ExitStack() as running:
        for _ in range(3):
            asked = proxy.http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True})
            parts = running.enter_context(asked).iter_raw()
            assert next(parts)
            streams.append(parts)  # without a name it would be closed
        response = proxy.http.get("/v1/models")
        assert error_of(response, 429)["code"] == "busy"
        assert proxy.http.get("/stats").json()["running"] == 3
        behind.go_on.set()
    eventually(lambda: proxy.http.get("/v1/models").status_code == 200)


def test_a_client_that_leaves_gives_its_place_back(proxy: Running, behind: Upstream) -> None:
    behind.pause = True
    with proxy.http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as response:
        assert next(response.iter_raw())
    eventually(lambda: proxy.http.get("/stats").json()["running"] == 0, within=5, what="a free place")
    behind.holds = True
    behind.seen.clear()
    with asking(proxy, "/v1/chat/completions", CHAT):
        eventually(lambda: behind.seen, what="a request at the upstream")
        assert proxy.http.get("/stats").json()["running"] == 1
    eventually(lambda: proxy.http.get("/stats").json()["running"] == 0, within=5, what="a free place")
    assert not behind.go_on.is_set()


def test_clients_that_dawdle_with_a_chat_take_no_place(proxy: Running, behind: Upstream) -> None:
    with contextlib.ExitStack() as slow:
        for _ in range(4):
            connection = slow.enter_context(socket.create_connection(("127.0.0.1", proxy.port)))
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{proxy.port}\r\nContent-Length: 9\r\n\r\n"
            connection.sendall(head.encode() + b"{")
        assert proxy.http.post("/v1/chat/completions", json=CHAT).status_code == 200


def test_figures_are_counted_for_people_and_for_prometheus(proxy: Running, behind: Upstream) -> None:
    def figures() -> dict[tuple[str, ...], float]:
        metrics = proxy.http.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = list(text_string_to_metric_families(metrics.text))
        assert all(family.documentation and family.type != "unknown" for family in families)
        return {
            (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
        }

    before, requests = figures(), proxy.http.get("/stats").json()["requests"]
    proxy.http.post("/v1/chat/completions", json=CHAT)
    proxy.http.get("/v1/nothing")
    eventually(lambda: figures()["groq_request_seconds_count",] == before["groq_request_seconds_count",] + 2)
    after = figures()
    for end in ("200", "404"):
        assert after["groq_requests_total", end] == before.get(("groq_requests_total", end), 0) + 1
    model = str(CHAT["model"])
    assert after["groq_model_requests_total", "200", model] > before.get(("groq_model_requests_total", "200", model), 0)
    assert after["groq_first_byte_seconds_bucket", "+Inf", model] >= 1
    assert after["groq_request_seconds_bucket", "+Inf"] == after["groq_request_seconds_count",]
    assert (after["groq_keys",], after["groq_keys_available",], after["groq_running_max",]) == (2, 2, 3)
    now = proxy.http.get("/stats").json()["requests"]
    assert now["404"] == requests.get("404", 0) + 1
    texts = [
        proxy.http.get(path).text for path in ("/metrics", "/groq/metrics", "/stats", "/api/v1/groq/stats", "/health")
    ]
    assert not any(key in text for key in KEYS for text in texts)
