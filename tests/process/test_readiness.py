import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.reasons import HttpAnswer
from supervisor.process.readiness import GOOD, LogMatcher, http_request, http_status, http_verdict
from supervisor.words.reasons import text_of


def words(verdict: HttpAnswer | None) -> str:
    return "" if verdict is None else text_of(verdict)


def test_the_request_asks_for_one_answer_only() -> None:
    assert http_request("127.0.0.1", 6000, "/health?x=1") == (
        b"GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:6000\r\nUser-Agent: portsup\r\nAccept: */*\r\n"
        b"Connection: close\r\n\r\n"
    )


def test_the_request_is_right_for_odd_places_and_paths() -> None:
    assert b"Host: [::1]:80\r\n" in http_request("::1", 80, "/")
    assert http_request("h", 1, "health").startswith(b"GET /health HTTP/1.1\r\n")
    assert http_request("h", 1, "/a b\r\nX: y/ä").startswith(b"GET /a%20b%0D%0AX:%20y/%C3%A4 HTTP/1.1\r\nHost")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n", 200),
        (b"HTTP/1.0 503", 503),
        (b"HTTP/2 204\r\n", 204),
        (b"HTTP/1.1 200OK\r\n", None),
        (b"HTTP/1.1 20", None),
        (b"SSH-2.0-OpenSSH\r\n", None),
        (b"", None),
    ],
)
def test_the_status_is_read_from_the_first_line(answer: bytes, status: int | None) -> None:
    assert http_status(answer) == status


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", ""),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answered 503 Service Unavailable"),
        (b"HTTP/1.1 404\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 500 \x1b[2J\r\n", "answered 500"),
        (b"", "got no answer"),
        (b"\x16\x03\x01", "got an answer that is not HTTP"),
    ],
)
def test_only_200_to_399_is_a_good_answer(answer: bytes, verdict: str) -> None:
    assert words(http_verdict(answer)) == verdict


def test_headers_that_are_given_win_and_a_body_is_said_to_be_empty() -> None:
    sent = http_request("127.0.0.1", 6000, "/", "POST", (("host", "shop.local"), ("X-Key", "ä")))
    assert sent.startswith(b"POST / HTTP/1.1\r\nUser-Agent: portsup\r\n")
    assert sent.endswith(b"Content-Length: 0\r\nhost: shop.local\r\nX-Key: \xc3\xa4\r\n\r\n")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nready, status: ok"


@pytest.mark.parametrize(
    ("answer", "good", "contains", "matches", "verdict"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", (range(204, 205),), "", "", ""),
        (b"HTTP/1.1 404 No\r\n\r\n", (range(200, 201), range(300, 303)), "", "", "answered 404 No, not 200 or 300-302"),
        (CHUNKED + b"0\r\n\r\n", (GOOD,), "ready", "", ""),
        (CHUNKED, (GOOD,), "ready", "^ready$", ""),
        (PLAIN, (GOOD,), "ready", "status: (ok|fine)", ""),
        (PLAIN, (GOOD,), "status: bad", "", "answered 200 without `status: bad` in it"),
        (PLAIN, (GOOD,), "", "bad$", "answered 200 and nothing that matches `bad$`"),
        (b"HTTP/1.1 200", (GOOD,), "ready", "", "answered 200 without `ready` in it"),
    ],
)
def test_status_and_body_are_held_to_what_was_asked(
    answer: bytes, good: tuple[range, ...], contains: str, matches: str, verdict: str
) -> None:
    assert words(http_verdict(answer, good, contains, matches)) == verdict


@given(st.binary())
def test_no_answer_is_too_odd(answer: bytes) -> None:
    http_verdict(b"HTTP/1.1 200 OK\r\n" + answer, (GOOD,), "x", "y")
    assert isinstance(words(http_verdict(answer)), str)


def test_a_line_is_found_wherever_the_output_is_cut() -> None:
    text = b"starting\nready on port 6000\r\nmore\n"
    for cut in range(len(text)):
        matcher = LogMatcher(r"^ready on port \d+$")
        assert matcher.feed(text[:cut]) or matcher.feed(text[cut:]), cut


def test_lines_are_looked_at_one_by_one() -> None:
    matcher = LogMatcher("^b.*z$")
    assert not matcher.feed(b"ab\nz\n")
    assert not matcher.feed(b"\xff\n" * 3)
    assert matcher.feed(b"b\xff\xfez\n")


def test_a_prompt_without_a_newline_is_found() -> None:
    assert LogMatcher("login:").feed(b"booted\nlogin: ")


def test_an_endless_line_is_not_kept_whole() -> None:
    matcher = LogMatcher("never")
    for _ in range(20):
        assert not matcher.feed(b"x" * 65536)
    assert sum(map(len, matcher._rests.values())) <= 65536


READY = "^server (is )?ready$"


@pytest.mark.parametrize(
    "printed",
    [
        b"server ready",
        b"\x1b[32mserver\x1b[0m \x1b[1;4mready\x1b[0m\n",
        b"\x1b[2K\rserver ready",
        b"starting 99%\rserver ready\rserver fine\n",
        b"server ready\r\r\n",
        b"\x1b]0;title\x07server is ready\n",
        b"\xc2\x9bmserver ready\x07\n",
    ],
)
def test_control_codes_and_unfinished_lines_keep_no_line_from_matching(printed: bytes) -> None:
    assert LogMatcher(READY).feed(printed)
    matcher = LogMatcher(READY)
    assert any(matcher.feed(printed[position : position + 1]) for position in range(len(printed)))


def test_lines_of_two_pipes_are_not_taken_for_one() -> None:
    matcher = LogMatcher(READY)
    assert not matcher.feed(b"server ", "stdout")
    assert not matcher.feed(b"ready", "stderr")
    assert matcher.feed(b"ready", "stdout")


def test_the_beginning_of_a_long_line_is_where_it_begins() -> None:
    matcher = LogMatcher("^b|end$")
    assert not matcher.feed(b"a" * 9000)
    assert not matcher.feed(b"b" * 5000)
    assert matcher.feed(b"the end")


def test_the_last_line_that_says_something_is_remembered() -> None:
    matcher = LogMatcher("never")
    assert matcher.last == b""
    for printed, last in ((b"one\ntw", b"tw"), (b"o\n\n  \n", b"two"), (b"\r\n", b"two"), (b"x\ny\n", b"y")):
        matcher.feed(printed)
        assert matcher.last == last


def test_a_bad_expression_is_refused_at_once() -> None:
    with pytest.raises(re.error):
        LogMatcher("(")
