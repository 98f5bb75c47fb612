"""The language model and the engines of speech, which come with the first request and leave after the last."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import psutil
import pytest

from examples.fetch_model import FETCHED
from tests.examples.extras import needs_model, needs_speech
from tests.examples.running import Running, error_of, run_to_end, service
from tests.examples.talking import QUESTION, checks, speaking, words
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
LONG = {
    "messages": [{"role": "user", "content": "Count."}],
    "max_tokens": 300,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "array", "items": {"type": "integer"}, "minItems": 200}},
    },
}
SHORT = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 2}
EMBED = {"input": ["a cat"]}


def with_the_model(**variables: str) -> AbstractContextManager[Running]:
    return service("ollama_mcp", OLLAMA_MCP_MODEL_PATH=str(FETCHED), **variables)


def engines(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.process.pid).children()


def kill(engine: psutil.Process) -> None:
    """Returns when all of its threads have ended, collected by the service or not."""
    engine.kill()
    tasks = Path(f"/proc/{engine.pid}/task")

    def has_ended() -> bool:
        try:
            return engine.status() == psutil.STATUS_ZOMBIE and len(list(tasks.iterdir())) == 1
        except (psutil.NoSuchProcess, OSError):
            return True

    eventually(has_ended, within=20)


def until_they_have_left(running: Running) -> None:
    eventually(lambda: not engines(running), within=30, what="an end of the engines")


def ask(running: Running, path: str = "/v1/chat/completions", body: object = SHORT) -> httpx2.Response:
    return running.http.post(path, json=body, timeout=60)


@needs_model
def test_the_model_comes_with_a_question_and_leaves() -> None:
    with with_the_model(ENGINE_IDLE_STOP="0.5") as running:
        assert running.http.get("/health/ready").status_code == 200
        assert running.http.get("/api/ps").json() == {"models": []}
        assert running.http.get("/v1/models").status_code == 200
        assert (checks(running), engines(running)) == ({"model": "idle"}, [])
        for path, body in (("/v1/chat/completions", SHORT), ("/v1/embeddings", EMBED)):
            assert ask(running, path, body).status_code == 200
            assert len(engines(running)) == 1
            until_they_have_left(running)
        assert running.http.get("/api/tags").json()["models"][0]["details"]["quantization_level"] == "Q4_1"
        until_they_have_left(running)
        assert running.http.get("/api/tags").status_code == 200  # what it said of itself is remembered
        assert engines(running) == []
        assert "nobody has needed it for 0.5 s" in running.output()


@needs_model
@pytest.mark.parametrize(("idle", "most"), [("600", 600), ("0", 366 * 24 * 3600)])
def test_ollamas_clients_see_when_the_model_leaves(idle: str, most: float) -> None:
    with with_the_model(ENGINE_IDLE_STOP=idle) as running:
        assert ask(running).status_code == 200
        (model,) = running.http.get("/api/ps").json()["models"]
        left = datetime.fromisoformat(model["expires_at"]) - datetime.now(UTC)
        assert most * 0.5 < left.total_seconds() <= most


@needs_model
def test_the_model_never_leaves_while_it_answers() -> None:
    with with_the_model(ENGINE_IDLE_STOP="0.01") as running:
        with running.http.stream("POST", "/v1/chat/completions", json={**LONG, "stream": True}, timeout=60) as response:
            first = engines(running)
            assert first
            assert b"[DONE]" in b"".join(response.iter_raw())
        until_they_have_left(running)


@needs_model
def test_requests_in_the_instant_of_the_end_are_all_answered() -> None:
    with with_the_model(ENGINE_IDLE_STOP="0.001") as running:
        codes = []

        def has_left_often() -> bool:  # it does not between two that come within that time
            codes.append(ask(running).status_code)
            return running.output().count("leaves") >= 3

        eventually(has_left_often, within=60)
        assert set(codes) == {200}


@needs_model
@pytest.mark.parametrize("when", ["at rest", "at work"])
def test_a_model_that_dies_is_one_clear_error_at_most(when: str) -> None:
    with with_the_model() as running, ThreadPoolExecutor(1) as pool:
        assert ask(running).status_code == 200
        (engine,) = engines(running)
        if when == "at work":
            asked = pool.submit(ask, running, body=LONG)
            eventually(lambda: running.http.get("/ollama/stats").json()["running"] == 1, within=20)
            used = sum(engine.cpu_times()[:2])
            eventually(lambda: sum(engine.cpu_times()[:2]) > used, within=20, what="work of the engine")
        kill(engine)
        if when == "at work":
            error = error_of(asked.result(60), 503)
            assert (error["code"], "ended with -9" in error["message"]) == ("engine_died", True)
        assert ask(running).status_code == 200
        assert [each.pid for each in engines(running)] != [engine.pid]
        assert "Traceback" not in running.output()


@pytest.mark.parametrize("module", ["ollama_mcp", "conversational"])
def test_a_setting_that_cannot_be_used_is_one_line(module: str) -> None:
    ended = run_to_end(module, PORT="1", ENGINE_IDLE_STOP="15m")
    assert ended.returncode == 2
    assert "`ENGINE_IDLE_STOP` must be a number" in ended.stderr
    assert "Traceback" not in ended.stderr


def say(running: Running) -> httpx2.Response:
    return running.http.post("/tts", json={"text": QUESTION})


@needs_speech
def test_speech_comes_with_a_request_and_leaves() -> None:
    with speaking(ENGINE_IDLE_STOP="0.5") as running:
        assert running.http.get("/voices").json()["voices"]
        assert engines(running) == []
        sound = say(running).content
        assert len(engines(running)) == 1
        until_they_have_left(running)
        assert checks(running)["tts"] == "idle"
        answer = running.http.post("/stt", content=sound).json()
        assert words(answer["text"]) == words(QUESTION)
        until_they_have_left(running)
        assert running.http.post("/stt", content=b"no sound").json()["error"]["code"] == "bad_audio"
        until_they_have_left(running)


@needs_speech
def test_sentences_in_the_instant_of_the_end_are_all_spoken() -> None:
    with speaking(ENGINE_IDLE_STOP="0.001") as running:
        assert [say(running).status_code for _ in range(4)] == [200] * 4
        assert running.output().count("leaves") >= 2


@needs_speech
def test_a_voice_that_dies_is_one_clear_error_at_most() -> None:
    with speaking() as running, ThreadPoolExecutor(3) as pool:
        assert say(running).status_code == 200
        (engine,) = engines(running)
        os.kill(engine.pid, signal.SIGSTOP)
        asked = [pool.submit(say, running) for _ in range(3)]
        eventually(lambda: checks(running)["tts"] == "ok", within=20)
        kill(engine)
        codes = [each.result(60).status_code for each in asked]
        assert sorted(codes) == [200, 200, 503]
        failed = next(each.result() for each in asked if each.result().status_code == 503)
        assert error_of(failed, 503)["code"] == "engine_died"
        kill(*engines(running))
        assert say(running).status_code == 200
        assert "Traceback" not in running.output()


@pytest.mark.parametrize(
    ("start", "use"),
    [
        pytest.param(with_the_model, ask, marks=needs_model, id="model"),
        pytest.param(speaking, say, marks=needs_speech, id="speech"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_engines_end_with_the_service(
    start: Callable[[], AbstractContextManager[Running]], use: Callable[[Running], httpx2.Response], number: int
) -> None:
    with start() as running:
        assert use(running).status_code == 200
        (engine,) = engines(running)
        os.kill(running.process.pid, number)
        running.process.wait(20)
        eventually(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, within=20)
