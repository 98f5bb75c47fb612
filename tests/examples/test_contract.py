"""What all six services have in common, tried on each of them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.examples.running import (
    PORT_ENV,
    ROOT,
    Running,
    environment,
    error_of,
    run_to_end,
    service,
    services,
    text_of,
)
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live
NAMES = tuple(PORT_ENV)
ALIASES = {
    "mcp_universal": "/mcp/health",
    "ollama_mcp": "/ollama/health",
    "groq_api": "/api/v1/groq/health",
    "api_server": "/api/health",
}
TOKEN = "a-token-of-the-tests"
MUTE = {"STT": "none", "TTS": "none"}  # speech takes seconds to load, and has tests of its own


@pytest.fixture(scope="module")
def alone() -> Iterator[dict[str, Running]]:
    """All six, each without upstream and peers."""
    with services({"conversational": MUTE}, NAMES) as started:
        yield started


@pytest.fixture(scope="module")
def guarded() -> Iterator[dict[str, Running]]:
    """A plain one, one with a page for browsers, and the one with aliases, all asking for a token."""
    names = ("groq_api", "conversational", "ollama_mcp")
    with services({name: {"PORTSUP_EXAMPLE_TOKEN": TOKEN, **MUTE} for name in names}, names) as started:
        yield started


@pytest.mark.parametrize("name", NAMES)
def test_health_names_the_service_and_is_200_without_any_upstream(alone: dict[str, Running], name: str) -> None:
    response = alone[name].http.get("/health")
    assert response.status_code == 200
    report = response.json()
    assert set(report) == {"status", "service", "version", "uptime_s", "checks"}
    assert report["service"] == name.replace("_", "-")
    needs_nobody = name == "mcp_universal" and report["checks"]["sandbox"] == "ok"
    assert report["status"] == ("ok" if needs_nobody else "degraded")
    assert alone[name].http.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ollama_mcp", "no_backend"),
        ("groq_api", "upstream_not_configured"),
        ("sandra_ia", "no_backend"),
        ("conversational", "llm_unavailable"),
    ],
)
def test_a_service_without_its_upstream_is_not_ready(alone: dict[str, Running], name: str, code: str) -> None:
    assert error_of(alone[name].http.get("/health/ready"), 503)["code"] == code


@pytest.mark.parametrize("name", ["mcp_universal", "api_server"])
def test_a_service_that_needs_no_upstream_is_ready(alone: dict[str, Running], name: str) -> None:
    assert alone[name].http.get("/health/ready").status_code == 200


@pytest.mark.parametrize("name", ["ollama_mcp", "groq_api", "sandra_ia", "conversational"])
def test_what_waits_for_it_goes_on_when_it_is_as_good_as_it_gets(alone: dict[str, Running], name: str) -> None:
    response = alone[name].http.get("/health/ready?settled")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_goes_on_and_is_logged(alone: dict[str, Running], name: str) -> None:
    trace = f"{NAMES.index(name) + 1:032x}"
    response = alone[name].http.get("/no/such?token=hush", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert response.headers["traceparent"].split("-")[1] == trace
    assert response.headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"
    eventually(lambda: f"trace={trace}" in alone[name].output(), within=5, what="the line of the request")
    line = next(line for line in alone[name].output().splitlines() if trace in line)
    assert line.startswith(f"INFO {name.replace('_', '-')}: request method=GET path=/no/such status=404 ms=")
    assert "hush" not in alone[name].output()


def test_log_lines_can_be_json() -> None:
    with service("groq_api", LOG_FORMAT="json") as running:
        running.http.get("/nothing%0Ahere")
        eventually(lambda: "nothing" in running.output(), within=5, what="the line of the request")
        entries = [json.loads(line) for line in running.output().splitlines()]
    request = next(entry for entry in entries if entry["event"] == "request")
    assert (request["level"], request["logger"], request["status"]) == ("info", "groq-api", 404)
    assert len(request["trace"]) == 32


@pytest.mark.parametrize(("name", "alias"), ALIASES.items())
def test_older_health_paths_still_answer(alone: dict[str, Running], name: str, alias: str) -> None:
    assert alone[name].http.get(alias).json()["service"] == name.replace("_", "-")
    assert alone[name].http.get(alias + "/live").status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_path_is_an_error_in_the_one_shape(alone: dict[str, Running], name: str) -> None:
    response = alone[name].http.get("/no/such/path")
    error = error_of(response, 404)
    assert error["type"] == "not_found_error"
    assert error["message"] == "there is no `/no/such/path` here" or name == "api_server"
    trace = response.headers["traceparent"].split("-")[1]  # where clients of OpenAI and Anthropic look for it
    assert [response.headers[name] for name in ("x-request-id", "request-id")] == [trace, trace]


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_host_name_is_refused(alone: dict[str, Running], name: str) -> None:
    response = alone[name].http.get("/health", headers={"host": "evil.example:80"})
    assert error_of(response, 400)["code"] == "invalid_host"


@pytest.mark.parametrize("name", NAMES)
def test_pages_of_other_sites_are_refused(alone: dict[str, Running], name: str) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        response = alone[name].http.get("/health", headers={"origin": origin})
        assert error_of(response, 403)["code"] == "invalid_origin"
    own = {"origin": f"http://localhost:{alone[name].port}"}
    assert alone[name].http.get("/health", headers=own).status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_it_listens_on_loopback_only(alone: dict[str, Running], name: str) -> None:
    with pytest.raises(ConnectionRefusedError):  # another address of this machine
        socket.create_connection(("127.0.0.2", alone[name].port), timeout=5)


def test_a_token_is_asked_for_everywhere_but_on_health(guarded: dict[str, Running]) -> None:
    client = guarded["ollama_mcp"].http
    for path in ("/health", "/health/live", "/ollama/health"):
        assert client.get(path).status_code == 200
    refused = client.get("/api/tags")
    assert "Authorization: Bearer" in text_of(refused, 401)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert client.get("/api/tags", headers={"authorization": "Bearer wrong"}).status_code == 401
    for headers in ({"authorization": f"Bearer {TOKEN}"}, {"mcp-secret": TOKEN}):
        assert "no model to answer with" in text_of(client.get("/api/tags", headers=headers), 503)


def test_the_page_for_browsers_opens_without_a_token(guarded: dict[str, Running]) -> None:
    assert "<h1>" in guarded["conversational"].http.get("/").text
    assert error_of(guarded["conversational"].http.get("/elsewhere"), 401)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "GROQ_API_PORT"),
        ({"PORT": "http"}, "`PORT` must be a port"),
        ({"GROQ_API_PORT": "70000"}, "70000"),
        ({"LOG_LEVEL": "loud"}, "`LOG_LEVEL` must be debug, info, warning, error or critical, not `loud`"),
        ({"PORT": "20000", "GROQ_MAX_CONCURRENT": "many"}, "GROQ_MAX_CONCURRENT"),
        ({"PORT": "20000", "GROQ_BASE_URL": "api.groq.com"}, "GROQ_BASE_URL"),
    ],
)
def test_a_bad_setting_ends_it_with_code_2_and_one_line(variables: dict[str, str], words: str) -> None:
    if variables.get("PORT") == "20000":
        variables = {**variables, "PORT": str(free_port())}
    ended = run_to_end("groq_api", **variables)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: groq-api: ")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_port_that_somebody_has_ends_it_with_code_3_and_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run_to_end("groq_api", PORT=str(taken.getsockname()[1]))
    assert ended.returncode == 3
    assert "cannot listen on 127.0.0.1" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_its_own_variable_wins_over_port() -> None:
    with service("groq_api", PORT="1") as running:
        assert running.http.get("/health").status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="no descriptors to inherit")
def test_it_serves_on_a_socket_that_it_inherits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid());"
            "os.execv(sys.executable, [sys.executable, '-m', 'examples.groq_api'])"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(listener.fileno())],
            cwd=ROOT,
            env=environment(LISTEN_FDS="1", GROQ_API_PORT="1"),
            pass_fds=[listener.fileno()],
        )
    try:
        # The listener was there before the service: the first connection waits until it is answered.
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(f"GET /health HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        process.terminate()
        assert process.wait(15) == 0


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts threads in /proc")
def test_it_sleeps_when_nothing_is_asked(alone: dict[str, Running]) -> None:
    def switches() -> int:
        with open(f"/proc/{alone['groq_api'].process.pid}/status") as file:
            return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)

    def is_asleep() -> bool:
        before = switches()
        with pytest.raises(AssertionError):
            eventually(lambda: False, within=0.5, every=0.5)
        return switches() - before <= 1

    eventually(is_asleep, within=10, what="half a second without a wake-up")


def test_sigterm_ends_every_service_with_0() -> None:
    with services({"conversational": MUTE}, NAMES) as started:
        assert {name: running.terminate() for name, running in started.items()} == dict.fromkeys(NAMES, 0)
        for running in started.values():
            assert "Traceback" not in running.output()
