"""Regular expressions that would take for ever."""

import re
import signal
import threading
import time

import pytest

from supervisor.core.reasons import HttpAnswer
from supervisor.process.readiness import MOST_OVERRUNS, LogMatcher, http_verdict
from supervisor.system.patterns import LONGEST, TooSlow, found, within_limit

ENDLESS = [
    (r"(a+)+$", "a" * 50 + "!"),
    (r"(?:a|a)*$", "a" * 50 + "!"),
    (r"(a?){50}a{50}", "a" * 50),
    (r"(.*)(.*)(.*)(.*)x", "a" * 5000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 50),
    (r"a*a*a*a*$", "a" * 5000 + "!"),
]


@pytest.mark.parametrize(("pattern", "text"), ENDLESS, ids=[pattern for pattern, _ in ENDLESS])
def test_a_search_without_an_end_is_ended(pattern: str, text: str) -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(TooSlow):
        within_limit(lambda: re.search(pattern, text) is not None)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_it_is_ended_where_the_signal_is_blocked_too() -> None:
    """As in the daemon, which takes no signal that means nothing to it."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGVTALRM,))
    try:
        with pytest.raises(TooSlow):
            within_limit(lambda: re.search("(a+)+$", "a" * 50 + "!") is not None)
        assert signal.SIGVTALRM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_the_signal_of_somebody_else_ends_no_search() -> None:
    def interrupted() -> bool:
        signal.raise_signal(signal.SIGVTALRM)
        return True

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGVTALRM,))
    try:
        signal.raise_signal(signal.SIGVTALRM)
        assert within_limit(lambda: True, 1.0)
        assert within_limit(interrupted, 1.0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_what_ends_in_time_is_not_touched() -> None:
    assert within_limit(lambda: True)
    assert not within_limit(lambda: False)
    with pytest.raises(ZeroDivisionError):
        within_limit(lambda: bool(1 // 0))
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


@pytest.mark.live
def test_the_limit_is_one_of_processor_time() -> None:
    """A machine that is busy with others makes no pattern slow."""

    def wait() -> bool:
        time.sleep(0.2)
        return True

    assert within_limit(wait, 0.05)


def test_outside_of_the_main_thread_there_is_none() -> None:
    got: list[bool] = []
    thread = threading.Thread(target=lambda: got.append(within_limit(lambda: True)))
    thread.start()
    thread.join()
    assert got == [True]


def test_of_a_long_line_the_beginning_and_the_end_are_looked_at() -> None:
    middle = "x" * 3 * LONGEST
    assert found(re.compile("^ready"), f"ready {middle}")
    assert found(re.compile("ready$"), f"{middle} ready")
    assert not found(re.compile("^ready"), f"{middle} ready")
    assert not found(re.compile("ready"), f"{middle} ready {middle}")
    assert not found(re.compile("x$"), f"{middle} ready")
    assert not found(re.compile(r"x\\Z"), f"{middle} ready")
    assert found(re.compile("^x+"), f"{middle} ready")
    assert found(re.compile("ready"), "x" * (LONGEST - 5) + "ready")


@pytest.mark.parametrize(("pattern", "text"), ENDLESS, ids=[pattern for pattern, _ in ENDLESS])
def test_lines_that_take_too_long_are_passed_over_and_others_still_match(pattern: str, text: str) -> None:
    matcher = LogMatcher(f"(?:{pattern})|ready")
    assert not matcher.feed(text.encode() + b"\n")
    assert matcher.overruns == 1
    assert matcher.feed(b"ready\n")


def test_a_pattern_that_takes_too_long_again_and_again_is_given_up() -> None:
    matcher = LogMatcher(r"(a+)+$|ready")
    for _ in range(MOST_OVERRUNS):
        assert not matcher.feed(b"a" * 50 + b"!\n")
    for _ in range(100):
        assert not matcher.feed(b"a" * 50 + b"!\n")
    assert matcher.overruns == MOST_OVERRUNS
    assert not matcher.feed(b"ready\n")


def test_the_body_of_an_answer_is_held_to_the_same_limit() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n" + b"a" * 50 + b"!"
    assert http_verdict(answer, matches=r"(a+)+$") == HttpAnswer("slow-pattern", 200, "(a+)+$")
    assert http_verdict(answer, matches=r"a+!") is None
