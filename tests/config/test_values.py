"""The small languages: durations, sizes, signals."""

import signal
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config import lines, values
from supervisor.config.values import Bad


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("0.5s", 0.5),
        ("10s", 10.0),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("1h2m3s4ms", 3723.004),
        ("1m500ms", 60.5),
        ("1.5h", 5400.0),
        ("0", 0.0),
        ("0.25", 0.25),
        (" 3s ", 3.0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "10 s", "30m1h", "1s1s", "-1s", "1e3", ".inf", "1d", "\u0661s", "1ms1s", "9" * 40]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Bad):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10MB", 10 * 1024**2),
        ("10 mb", 10 * 1024**2),
        ("1GiB", 1024**3),
        ("64k", 65536),
        ("0.5K", 512),
        ("99", 99),
        ("7B", 7),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert values.size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "10 megs", "-1", "1e9", "9" * 40])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Bad):
        values.size(text)


@pytest.mark.parametrize("text", ["SIGTERM", "TERM", "term", "sigterm", "15"])
def test_a_signal_goes_by_name_or_number(text: str) -> None:
    assert values.signal_number(text) == signal.SIGTERM


@given(st.text(max_size=20))
def test_no_text_at_all_makes_a_reader_stumble(text: str) -> None:
    for read in (values.duration, values.size, values.signal_number, values.port_range, lines.words, values.number):
        with suppress(Bad):
            read(text)


@given(st.integers(1, 65535), st.integers(1, 256))
def test_a_range_has_exactly_its_ports(base: int, size: int) -> None:
    if base + size - 1 > 65535:
        with pytest.raises(Bad):
            values.ports_from(base, size)
    else:
        assert values.port_range(f"{base}-{base + size - 1}") == tuple(range(base, base + size))
