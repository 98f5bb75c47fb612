"""How all six services speak HTTP, as the standards have it; tried on each of them as a process."""

import ctypes
import gzip
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest

from tests.examples.running import PORT_ENV, Running, error_of, services
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
NAMES = tuple(PORT_ENV)
TOKEN = "a-token-of-the-tests"
PIDFD_GETFD = 438  # asm-generic/unistd.h; Linux 5.6


@pytest.fixture(scope="module")
def guarded() -> Iterator[dict[str, Running]]:
    """All six, without speech, which takes seconds to load."""
    settings = {name: {"PORTSUP_EXAMPLE_TOKEN": TOKEN, "STT": "none", "TTS": "none"} for name in NAMES}
    with services(settings, NAMES) as started:
        yield started


def sends(running: Running, request: str) -> bytes:
    """All that the service answers to these bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(request.replace("\n", "\r\n").format(port=running.port).encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def taken_from(pid: int, local: tuple[str, int], remote: tuple[str, int]) -> socket.socket:
    """The end of a connection that another process has, as a copy of its descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            if (copy := libc.syscall(PIDFD_GETFD, handle, int(name), 0)) < 0:
                if (error := ctypes.get_errno()) == 1:  # EPERM
                    pytest.skip("this system does not show the descriptors of other processes")
                raise OSError(error, os.strerror(error))
            try:
                found = socket.socket(fileno=copy)
            except OSError:  # no socket
                os.close(copy)
                continue
            if found.family == socket.AF_INET and found.getsockname() == local:
                try:
                    if found.getpeername() == remote:
                        return found
                except OSError:  # the listener
                    pass
            found.close()
    finally:
        os.close(handle)
    raise AssertionError("the service does not have this connection")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the service with pidfd_getfd")
@pytest.mark.parametrize("name", NAMES)
def test_a_small_answer_does_not_wait_for_an_acknowledgement(guarded: dict[str, Running], name: str) -> None:
    running = guarded[name]
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        for _ in range(2):  # Nagle's algorithm holds back the second small answer of a connection, not the first
            connection.sendall(f"GET /health HTTP/1.1\r\nHost: localhost:{running.port}\r\n\r\n".encode())
            answer = b""
            while b"uptime_s" not in answer:
                answer += connection.recv(4096)
        with taken_from(running.process.pid, connection.getpeername(), connection.getsockname()) as theirs:
            assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["/health", "/no/such"])
def test_every_answer_has_a_date(guarded: dict[str, Running], name: str, path: str) -> None:
    dates = guarded[name].http.get(path).headers.get_list("date")
    assert len(dates) == 1
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", dates[0])
    assert parsedate_to_datetime(dates[0]).year >= 2026


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("version", "framing"),
    [
        ("1.1", "Content-Length: 5\nTransfer-Encoding: chunked"),
        ("1.1", "Transfer-Encoding: chunked\nContent-Length: 0"),
        ("1.0", "Transfer-Encoding: chunked"),
    ],
)
def test_a_body_whose_end_is_unclear_is_refused(
    guarded: dict[str, Running], name: str, version: str, framing: str
) -> None:
    head = f"POST /v1/chat/completions HTTP/{version}\nHost: localhost:{{port}}\nAuthorization: Bearer {TOKEN}\n"
    smuggled = "GET /health HTTP/1.1\nHost: localhost\n\n"
    answer = sends(guarded[name], f"{head}{framing}\n\n5\nhello\n0\n\n{smuggled}").decode()
    assert answer.startswith("HTTP/1.1 400"), answer
    assert answer.count("HTTP/1.1") == 1
    assert "connection: close" in answer.lower()
    assert '"code":"bad_framing"' in answer
    assert "Traceback" not in guarded[name].output()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer ", "bEaReR"])
def test_the_scheme_of_a_token_has_no_case(guarded: dict[str, Running], name: str, scheme: str) -> None:
    response = guarded[name].http.get("/no/such", headers={"authorization": f"{scheme} {TOKEN}"})
    assert response.status_code == 404


def test_a_token_counts_in_either_header(guarded: dict[str, Running]) -> None:
    for headers in ({"authorization": "Bearer of-another-service", "mcp-secret": TOKEN}, {"mcp-secret": TOKEN}):
        assert guarded["groq_api"].http.get("/no/such", headers=headers).status_code == 404
    both = {"authorization": "Bearer of-another-service", "mcp-secret": "neither"}
    assert guarded["groq_api"].http.get("/no/such", headers=both).status_code == 401


@pytest.mark.parametrize("shown", [TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer{TOKEN}", f"Bearer x{TOKEN}", ""])
def test_another_scheme_is_no_token(guarded: dict[str, Running], shown: str) -> None:
    response = guarded["groq_api"].http.get("/no/such", headers={"authorization": shown})
    assert error_of(response, 401)["code"] == "auth_required"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/mcp/.well-known/openid-configuration",
    ],
)
def test_who_looks_for_an_authorization_server_finds_none(guarded: dict[str, Running], name: str, path: str) -> None:
    assert error_of(guarded[name].http.get(path), 404)["type"] == "not_found_error"


@pytest.mark.parametrize("name", NAMES)
def test_a_request_in_the_form_for_proxies_is_answered_by_the_host_in_it(
    guarded: dict[str, Running], name: str
) -> None:
    answer = sends(guarded[name], "GET http://localhost:{port}/health HTTP/1.1\nHost: other\nConnection: close\n\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    answer = sends(guarded[name], "GET http://other/no/such HTTP/1.1\nHost: localhost\nConnection: close\n\n")
    assert b'"invalid_host"' in answer


TAKE_JSON = (("ollama_mcp", "/v1/chat/completions"), ("sandra_ia", "/v1/chat/completions"))


@pytest.mark.parametrize(("name", "path"), TAKE_JSON)
def test_a_body_that_says_that_it_is_too_large_is_refused_before_it_comes(
    guarded: dict[str, Running], name: str, path: str
) -> None:
    head = f"POST {path} HTTP/1.1\nHost: localhost\nAuthorization: Bearer {TOKEN}\nContent-Type: application/json\n"
    for length in ("9000000000", "9" * 20):
        answer = sends(guarded[name], head + f"Content-Length: {length}\nConnection: close\n\n")
        assert answer.startswith(b"HTTP/1.1 413 "), answer
        assert b'"body_too_large"' in answer


def test_a_compressed_body_is_refused_as_that(guarded: dict[str, Running]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Encoding": "gzip", "Content-Type": "application/json"}
    response = guarded["sandra_ia"].http.post("/v1/chat/completions", content=gzip.compress(b"{}"), headers=headers)
    assert error_of(response, 415)["code"] == "unsupported_encoding"


def test_probes_are_not_logged_whatever_they_answer(guarded: dict[str, Running]) -> None:
    running = guarded["groq_api"]
    for path, status in (("/health", 200), ("/health/live", 200), ("/health/ready", 503), ("/api/v1/groq/health", 200)):
        assert running.http.get(path).status_code == status
    running.http.get("/the-end", headers={"authorization": f"Bearer {TOKEN}"})
    eventually(lambda: "path=/the-end" in running.output(), within=5, what="the line of the last request")
    assert "/health" not in running.output()


def test_a_stream_that_a_stop_cuts_off_does_not_look_complete() -> None:
    with services({}, ["api_server"]) as started:
        running = started["api_server"]
        with running.http.stream("GET", "/api/events", timeout=20) as response:
            parts = response.iter_bytes()
            assert next(parts).startswith(b"event: services")
            running.process.terminate()
            told = b"".join(parts).decode()
        assert told.endswith("\n\n")
        kind, data = told.strip().splitlines()[-2:]
        assert kind == "event: error"
        assert json.loads(data.removeprefix("data: "))["error"]["code"] == "shutting_down"
        assert running.process.wait(15) == 0
        assert "Traceback" not in running.output()
        assert "ERROR" not in running.output()
