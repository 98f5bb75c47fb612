"""Limits of models: what Groq tells of its own, and those that the service is told to keep."""

import asyncio

import pytest
from starlette.requests import Request

from examples.groq_api.body import Body
from examples.groq_api.limits import MOST_MODELS, Limits, Pace
from examples.groq_api.tally import MOST_MODELS as MOST_LABELS
from examples.groq_api.tally import Tally
from examples.service import SettingError
from examples.web import ServiceError
from tests.examples.running import run_to_end, service
from tests.support.ports import free_port


def refused(pace: Pace, model: str, now: float) -> ServiceError | None:
    try:
        pace.take(model, now)
    except ServiceError as error:
        return error
    return None


def test_a_model_may_be_asked_so_often_in_any_minute() -> None:
    pace = Pace("a=2, *=1, free=0")
    assert [refused(pace, "a", now) for now in (0.0, 10.0)] == [None, None]
    error = refused(pace, "a", 20.0)
    assert error is not None
    assert (error.code, error.status, error.retry_after) == ("model_limited", 429, 40)
    assert refused(pace, "a", 60.0) is None  # a minute after the first
    assert refused(pace, "a", 61.0) is not None
    assert refused(pace, "b", 0.0) is None
    assert refused(pace, "b", 59.9) is not None
    assert refused(pace, "c", 59.9) is None  # `*` is each other model by itself
    assert refused(pace, "free", 0.0) is not None
    assert refused(pace, "", 0.0) is None  # a list of models, say


def test_without_a_limit_nothing_is_counted() -> None:
    pace = Pace("a=1")
    assert all(refused(pace, "b", 0.0) is None for _ in range(100))
    assert all(refused(Pace(""), "a", 0.0) is None for _ in range(100))


def test_names_of_models_that_nobody_has_do_not_pile_up() -> None:
    pace, limits, tally = Pace("*=1"), Limits(), Tally()
    for number in range(MOST_MODELS * 3):
        pace.take(f"m{number}", number * 100.0)
        limits.learn(f"m{number}", 1, {"x-ratelimit-remaining-tokens": "7"})
        tally.count("404", 0.1, f"m{number}")
    assert len(pace._asked) <= MOST_MODELS + 1
    assert len(limits.report()) == MOST_MODELS
    text = tally.exposition("", {})[0].decode()
    assert text.count("groq_model_requests_total{") == MOST_LABELS + 1
    assert 'groq_model_requests_total{end="404",model="other"} 500.0' in text


@pytest.mark.parametrize("text", ["a", "a=", "=3", "a=-1", "a=1.5", "a=many"])
def test_a_limit_that_can_not_be_is_named(text: str) -> None:
    with pytest.raises(SettingError, match="GROQ_MODEL_LIMITS"):
        Pace(text)


def test_what_is_left_is_added_up_over_the_keys() -> None:
    limits = Limits()
    limits.learn("a", 1, {"x-ratelimit-remaining-requests": "5", "x-ratelimit-remaining-tokens": "100"})
    limits.learn("a", 2, {"x-ratelimit-remaining-requests": "2"})
    limits.learn("a", 1, {"x-ratelimit-remaining-requests": "4"})
    limits.learn("b", 1, {"x-ratelimit-remaining-requests": "soon"})
    limits.learn("", 1, {"x-ratelimit-remaining-requests": "5"})
    assert limits.report() == {"a": {"requests": 6, "tokens": 100}}
    text = Tally().exposition("", limits.report())[0].decode()
    assert 'groq_limit_remaining{kind="requests",model="a"} 6.0' in text


def test_figures_come_in_the_format_that_a_scraper_asks_for() -> None:
    assert Tally().exposition("", {})[1].startswith("text/plain; version=0.0.4")
    content, kind = Tally().exposition("application/openmetrics-text; version=1.0.0", {})
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert content.endswith(b"# EOF\n")


FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nname="model"\r\n'
    b'--x\r\nContent-Disposition: form-data; name="model"\r\nContent-Type: text/plain\r\n\r\nwhisper\r\n--x--\r\n'
)


@pytest.mark.parametrize(
    ("content", "model"),
    [
        (b'{"model": "a"}', "a"),
        (b'{"model": 7}', ""),
        (b"[1]", ""),
        (b"", ""),
        (FORM, "whisper"),
        (b"[" * 100_000, ""),
    ],
)
def test_the_model_is_found_in_json_and_in_forms(content: bytes, model: str) -> None:
    assert asyncio.run(model_of(content)) == model


async def model_of(content: bytes) -> str:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": content, "more_body": False}

    body = Body(Request({"type": "http", "headers": []}, receive))
    await body.read_ahead()
    return body.model()


@pytest.mark.live
def test_a_limit_of_the_service_holds_for_its_clients() -> None:
    upstream = f"http://127.0.0.1:{free_port()}/v1"
    with service("groq_api", GROQ_BASE_URL=upstream, GROQ_API_KEY="k", GROQ_MODEL_LIMITS="a=1") as running:
        first, second, other = (
            running.http.post("/v1/chat/completions", json={"model": model}).json()["error"]["code"]
            for model in ("a", "a", "b")
        )
        assert (first, second, other) == ("upstream_unreachable", "model_limited", "upstream_unreachable")
    ended = run_to_end("groq_api", PORT=str(free_port()), GROQ_MODEL_LIMITS="a")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
