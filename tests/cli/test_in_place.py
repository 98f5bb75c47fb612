"""Whom a command waits for is shown in place on a terminal, and never costs a line that somebody else wrote."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cli import live
from supervisor.cli.live import Block, cut, is_live, words_of
from supervisor.control.progress import Late
from tests.support.screen import Screen


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "UTF-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


@pytest.fixture(autouse=True)
def ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(live, "size_of", lambda fd: (80, 24))


def test_it_is_for_a_terminal_that_can_and_for_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_live("auto", FakeTerminal())
    assert not is_live("auto", io.StringIO())
    assert not is_live("always", io.StringIO())
    assert not is_live("never", FakeTerminal())
    latin = FakeTerminal()
    latin.encoding = "ISO-8859-1"
    assert not is_live("auto", latin)
    for name, value in (("TERM", "dumb"), ("TERM", ""), ("NO_COLOR", "1")):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert not is_live("auto", FakeTerminal()), (name, value)
    for size in ((39, 24), (80, 7)):
        monkeypatch.setattr(live, "size_of", lambda fd, size=size: size)
        assert not is_live("auto", FakeTerminal())


def test_a_line_says_since_when_and_how_long_still() -> None:
    waiting = [
        Late("web", "waiting for web: nothing listens on port 1 (24 s left)", 65.2, 24.0),
        Late(None, "waiting for 4 more\x1b[2J", None, None),
    ]
    assert words_of(waiting) == [
        " 1m05s  waiting for web: nothing listens on port 1 (24 s left)",
        "     -  waiting for 4 more?[2J",
    ]


def test_lines_are_replaced_and_gone_in_the_end() -> None:
    block, screen = Block(lambda: (80, 24)), Screen()
    screen.feed(block.around(b"before\n"))
    assert screen.feed(block.show(["one", "two"])).lines == ["before", "one", "two"]
    assert screen.feed(block.show(["three"])).lines == ["before", "three"]
    assert screen.feed(block.around(b"a log line\n")).lines == ["before", "a log line", "three"]
    assert screen.feed(block.show([])).lines == ["before", "a log line"]
    assert block.show([]) == b""


def test_a_log_line_that_comes_in_pieces_is_whole() -> None:
    block, screen = Block(lambda: (80, 24)), Screen()
    screen.feed(block.show(["waiting"]))
    assert screen.feed(block.around(b"half of ")).lines == ["half of"]
    assert screen.feed(block.show(["still waiting"])).lines == ["half of"]
    assert screen.feed(block.around(b"a line\n")).lines == ["half of a line", "still waiting"]


def test_what_ctrl_c_echoes_goes_with_the_lines() -> None:
    block, screen = Block(lambda: (80, 24)), Screen()
    screen.feed(block.show(["waiting"])).feed(b"^C")
    assert screen.feed(block.around(b"stopping\n")).lines == ["stopping", "waiting"]


def test_after_a_stop_and_a_continue_what_the_shell_wrote_stays() -> None:
    block, screen = Block(lambda: (80, 24)), Screen()
    screen.feed(block.show(["waiting"])).feed(b"$ fg\n")
    block.forget()
    assert screen.feed(block.show(["still waiting"])).lines == ["waiting", "$ fg", "still waiting"]


def test_no_line_is_broken_by_the_edge_and_there_are_never_more_than_fit() -> None:
    size = [60, 24]
    block, screen = Block(lambda: (size[0], size[1])), Screen(60)
    screen.feed(block.show(["x" * 200, "y"]))
    assert screen.lines == ["x" * 58 + "~", "y"]
    size[1] = 8
    assert len(Screen(60).feed(block.show([str(number) for number in range(20)])).lines) == 6
    size[0] = 20
    assert Screen(20).feed(block.show(["short"])).lines == []


def test_characters_of_two_columns_count_twice() -> None:
    assert cut("日本語", 6) == "日本語"
    assert cut("日本語", 5) == "日本~"
    assert cut("日本語", 4) == "日~"
    assert cut("", 5) == ""


CHANGES = st.lists(
    st.one_of(
        st.lists(st.text("ab é", max_size=120), max_size=9).map(lambda lines: ("show", lines)),
        st.text("xyz \n", min_size=1, max_size=90).map(lambda text: ("around", text)),
        st.tuples(st.just("size"), st.tuples(st.integers(20, 120), st.integers(5, 30))),
    ),
    max_size=30,
)


@given(CHANGES)
def test_whatever_comes_in_between_every_other_line_is_as_it_was_written(changes: list[tuple[str, Any]]) -> None:
    size = [120, 24]
    block, screen, written = Block(lambda: (size[0], size[1])), Screen(1000), ""
    for what, value in changes:
        match what:
            case "show":
                screen.feed(block.show(value))
            case "around":
                written += value
                screen.feed(block.around(value.encode()))
            case _:
                size[:] = value
    if not written.endswith("\n"):
        written += "\n"
        screen.feed(block.around(b"\n"))
    screen.feed(block.show([]))
    assert screen.lines == Screen(1000).feed(written.encode()).lines
