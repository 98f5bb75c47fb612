"""Signals by name and by number."""

import signal

import pytest

from supervisor.core.signals import name_of, number_of

FIRST, LAST = getattr(signal, "SIGRTMIN", 0), getattr(signal, "SIGRTMAX", 0)


@pytest.mark.parametrize("text", ["SIGTERM", "term", "TERM", "sigterm", "15"])
def test_a_signal_has_a_name_with_or_without_its_prefix_and_a_number(text: str) -> None:
    assert number_of(text) == signal.SIGTERM
    assert name_of(signal.SIGTERM) == "SIGTERM"


def test_another_name_of_a_signal_is_known() -> None:
    assert (number_of("POLL"), name_of(signal.SIGPOLL)) == (signal.SIGIO, "SIGIO")


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("SIGRTMIN", FIRST, "SIGRTMIN"), ("rtmin+3", FIRST + 3, "SIGRTMIN+3"), ("SIGRTMAX-2", LAST - 2, "SIGRTMAX-2"),
        (str(FIRST + 1), FIRST + 1, "SIGRTMIN+1"), ("RTMAX", LAST, "SIGRTMAX"), ("RTMAX-29", FIRST + 1, "SIGRTMIN+1"),
        ("RTMIN+15", FIRST + 15, "SIGRTMIN+15"), ("RTMIN+16", FIRST + 16, "SIGRTMAX-14"),
    ],
)  # fmt: skip
def test_real_time_signals_are_written_as_systemd_and_docker_write_them(text: str, number: int, name: str) -> None:
    assert (number_of(text), name_of(number)) == (number, name)


def test_every_signal_of_the_system_has_a_name_that_leads_back() -> None:
    numbers = [int(each) for each in signal.valid_signals()]
    assert [number_of(name_of(number)) for number in numbers] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIG",
        "NONSENSE",
        "0",
        "32",
        "99",
        "999",
        "1000",
        "-1",
        "\N{SUPERSCRIPT TWO}",
        "RTMIN+31",
        "RTMAX-31",
        "RTMIN-1",
    ],
)
def test_what_is_no_signal_has_no_number(text: str) -> None:
    assert number_of(text) is None
