"""Tables, durations and colours."""

import io
import json

import pytest

from supervisor.cli.render import duration, json_line, printable, size, table, wants_color


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0s"),
        (59.99, "59s"),
        (60, "1m00s"),
        (3599, "59m59s"),
        (3600, "1h00m"),
        (86399, "23h59m"),
        (86400, "1d00h"),
        (1e8, "1157d09h"),
        (-5, "0s"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    lines = table(("NAME", "PORT"), [("web", "6000"), ("long-name", "")], numbers=("PORT",))
    assert lines == ["NAME       PORT", "web        6000", "long-name     -"]


def test_a_narrow_terminal_loses_the_least_important_columns_first() -> None:
    rows = [("web", "6000", "12")]
    columns = ("NAME", "PORT", "RESTARTS")
    assert table(columns, rows, width=20, optional=("RESTARTS",)) == ["NAME  PORT  RESTARTS", "web   6000  12"]
    assert table(columns, rows, width=19, optional=("RESTARTS",)) == ["NAME  PORT", "web   6000"]


def test_what_is_still_too_wide_is_cut_and_shows_it() -> None:
    lines = table(("NAME", "PORT"), [("a-very-long-name", "6000")], width=10, numbers=("PORT",))
    assert lines == ["NAME     ~", "a-very-lo~"]
    assert table(("NAME",), [("web",)], width=1) == ["~", "~"]


def test_colours_do_not_move_the_columns() -> None:
    rows = [("web", "running", "7"), ("db", "failed", "123")]
    paints = {("STATE", "running"): "green"}
    plain = table(("NAME", "STATE", "PID"), rows, paints=paints, numbers=("PID",))
    painted = table(("NAME", "STATE", "PID"), rows, paints=paints, numbers=("PID",), color=True)
    assert painted[1] == "web   \x1b[32mrunning\x1b[0m    7"
    assert [line.replace("\x1b[32m", "").replace("\x1b[0m", "") for line in painted] == plain


def test_a_name_cannot_write_to_the_terminal() -> None:
    assert printable("evil\x1b[2J\nname\x07") == "evil?[2J?name?"


def test_json_can_be_carried_by_any_locale() -> None:
    line = json_line({"name": "Пётр\n", "port": None})
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {"name": "Пётр\n", "port": None}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "stream", "expected"),
    [
        ("auto", {}, Terminal(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {}, None, False),
        ("auto", {"NO_COLOR": "1"}, Terminal(), False),
        ("auto", {"NO_COLOR": ""}, Terminal(), True),
        ("auto", {"TERM": "dumb"}, Terminal(), False),
        ("always", {"NO_COLOR": "1"}, io.StringIO(), True),
        ("never", {}, Terminal(), False),
    ],
)
def test_colour_is_for_terminals_unless_somebody_says_otherwise(
    choice: str,
    environment: dict[str, str],
    stream: io.StringIO | None,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(choice, stream) is expected


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "-"),
        (0, "0K"),
        (1023999, "1000K"),
        (1024000, "1.0M"),
        (25_500_000, "24.3M"),
        (1048575999, "1000.0M"),
        (1048576000, "1.0G"),
        (10**13, "9313.2G"),
    ],
)
def test_sizes_are_short(count: int | None, words: str) -> None:
    assert size(count) == words
