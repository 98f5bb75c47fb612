"""The whole stack at work: without keys, with upstreams that come and go, and with services that are killed."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.examples.running import error_of
from tests.examples.shipped import AUTH, QUESTIONS, Shipped, load, shipped
from tests.examples.upstream import upstream
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live
RIVERS = {"messages": [{"role": "user", "content": "Tell me of rivers."}], "max_tokens": 16}


@pytest.fixture(scope="module")
def places() -> dict[str, int]:
    """Where the upstreams are, when they are."""
    return {"ollama": free_port(), "groq": free_port()}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, places: dict[str, int]) -> Iterator[Shipped]:
    with shipped(
        tmp_path_factory.mktemp("stack"),
        OLLAMA_BASE_URL=f"http://127.0.0.1:{places['ollama']}",
        GROQ_BASE_URL=f"http://127.0.0.1:{places['groq']}",
        GROQ_API_KEY="gsk_secret_of_the_tests",
    ) as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False, timeout=60, headers=AUTH) as client:
        yield client


def ask(http: httpx2.Client, stack: Shipped) -> httpx2.Response:
    return http.post(f"{stack.url('sandra-ia')}/v1/chat/completions", json=RIVERS)


def test_upstreams_are_used_while_they_are_there(stack: Shipped, http: httpx2.Client, places: dict[str, int]) -> None:
    def comes_from(name: str, words: str = "one two three") -> bool:
        response = ask(http, stack)
        if response.status_code != 200 or response.headers["x-sandra-backend"] != name:
            return False
        return bool(response.json()["choices"][0]["message"]["content"] == words)

    def falls_back() -> bool:
        """To the embedded model, or where there is none to an error that says what each backend said."""
        response = ask(http, stack)
        if response.status_code == 200:
            text = response.json()["choices"][0]["message"]["content"]
            return response.headers["x-sandra-backend"] == "ollama-mcp" and text != "one two three"
        said = error_of(response, 503)
        return {one["backend"] for one in said["backends"]} == {"groq-api", "ollama-mcp"}

    for _ in range(2):  # the second time is the return
        with upstream(places["ollama"]) as ollama:
            eventually(lambda: comes_from("ollama-mcp"), within=30, what="answers of Ollama")
            with upstream(places["groq"]) as groq:
                eventually(lambda: comes_from("groq-api"), within=30, what="answers of Groq")
            assert groq.asked("/openai/v1/chat/completions")
            eventually(lambda: comes_from("ollama-mcp"), within=30, what="answers of Ollama, for Groq")
        assert ollama.asked("/v1/chat/completions")
        eventually(falls_back, within=30, what="an answer without any upstream")


# Of those that move, the three whose new address others need; any of the six may be killed.
@pytest.mark.parametrize(
    ("way", "name"),
    [*(("kill", name) for name in QUESTIONS), *(("rotate", name) for name in ("groq-api", "ollama-mcp", "sandra-ia"))],
)
def test_whoever_is_hit_under_load_comes_back_and_nobody_else_is_restarted(
    stack: Shipped, places: dict[str, int], way: str, name: str
) -> None:
    with upstream(places["ollama"]), upstream(places["groq"]), load(stack) as asked:
        asked.until_all_answer()
        before = stack.rows()
        asked.hit.add(name)
        if way == "kill":
            stack.kill(name)
        else:
            *_, last = stack.control.stream("rotate", service=name)
            assert last["results"][0]["ok"], last
        eventually(lambda: stack.rows()[name]["state"] == "running", within=30, what=f"{name} again")
        asked.until_all_answer()
        after = stack.rows()
    assert after[name]["pid"] != before[name]["pid"]
    assert (after[name]["port"] == before[name]["port"]) is (way == "kill")
    others = set(before) - {name}
    assert {other: after[other]["pid"] for other in others} == {other: before[other]["pid"] for other in others}
    assert asked.wrong == []


def test_no_key_and_no_token_is_in_any_log(stack: Shipped) -> None:
    logs = "".join(stack.log(name) for name in QUESTIONS)
    assert "request method=" in logs
    assert "gsk_secret" not in logs
    assert AUTH["authorization"].removeprefix("Bearer ") not in logs
    assert "Traceback" not in logs


def test_a_request_has_one_trace_in_every_log(stack: Shipped, http: httpx2.Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    http.post(f"{stack.url('api-server')}/sandra-ia/v1/chat/completions", json=RIVERS, headers=headers)
    for name in ("api-server", "sandra-ia", "groq-api", "ollama-mcp"):
        eventually(lambda name=name: f"trace={trace}" in stack.log(name), within=5, what=f"the trace in {name}")  # type: ignore[misc]


def test_with_nothing_at_all_it_comes_up_and_says_what_is_missing(tmp_path: Path, http: httpx2.Client) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with shipped(
        tmp_path, OLLAMA_BASE_URL=nowhere, OLLAMA_MCP_MODEL_PATH=str(tmp_path / "no.gguf"), STT="none", TTS="none"
    ) as stack:
        assert {row["state"] for row in stack.rows().values()} == {"running"}
        said = error_of(ask(http, stack), 503)["backends"]
        assert {one["backend"]: one["code"] for one in said} == {
            "groq-api": "upstream_not_configured",
            "ollama-mcp": "no_backend",
        }
        report = http.get(f"{stack.url('api-server')}/api/health/aggregated").json()
        assert (report["status"], report["down"]) == ("degraded", 0)
