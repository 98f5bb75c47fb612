import fcntl
import os
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.process.output import (
    FULL_READS,
    LONGEST_LINE,
    READ_IN_NEED,
    READ_SIZE,
    WIDE_SIZE,
    Capture,
    LineSplitter,
    Stream,
)
from supervisor.system.pipes import open_pipe
from tests.support.children import children

live = pytest.mark.live


@given(st.lists(st.text("ab\n").map(str.encode)))
def test_nothing_is_lost_or_changed_by_splitting(pieces: list[bytes]) -> None:
    splitter = LineSplitter()
    chunks = [splitter.feed(piece) for piece in pieces]
    assert all(chunk.endswith(b"\n") for chunk in chunks if chunk)
    assert b"".join(chunks) + splitter.flush() == b"".join(pieces)


def test_an_unfinished_line_waits_for_its_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == b"one\n"
    assert splitter.feed(b"o") == b""
    assert splitter.feed(b"\nthree") == b"two\n"
    assert splitter.flush() == b"three"
    assert splitter.flush() == b""


def test_a_line_without_an_end_is_given_in_pieces() -> None:
    splitter = LineSplitter()
    kept = 0
    given_back = 0
    for _ in range(100):
        given_back += len(splitter.feed(b"x" * 10_000))
        kept = max(kept, len(splitter.rest))
    assert kept <= LONGEST_LINE
    assert given_back + len(splitter.flush()) == 1_000_000


@pytest.fixture
def pipe() -> tuple[Capture, int]:
    ours, theirs = open_pipe()
    return Capture(ours, Stream.STDOUT), theirs


def test_reading_an_empty_pipe_does_not_wait(pipe: tuple[Capture, int]) -> None:
    capture, theirs = pipe
    assert capture.read() == b""
    os.write(theirs, b"half a line")
    assert capture.read() == b""
    os.write(theirs, b", whole\n")
    assert capture.read() == b"half a line, whole\n"
    os.close(theirs)
    assert capture.read() is None
    assert capture.close() == b""
    assert capture.close() == b""


def test_the_last_line_is_kept_for_the_end(pipe: tuple[Capture, int]) -> None:
    capture, theirs = pipe
    os.write(theirs, b"first\nlast words")
    os.close(theirs)
    assert capture.read() == b"first\n"
    assert capture.read() is None
    assert capture.close() == b"last words"


def test_draining_takes_what_is_there_and_does_not_wait_for_more(pipe: tuple[Capture, int]) -> None:
    capture, theirs = pipe
    os.write(theirs, b"first\nlast words")
    assert capture.drain() == b"first\nlast words"
    assert capture.drain() == b""
    os.close(theirs)
    capture.close()


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has pipes of a size to choose")


@ON_LINUX
def test_a_pipe_that_is_always_full_becomes_wider(pipe: tuple[Capture, int]) -> None:
    capture, theirs = pipe
    os.set_blocking(theirs, False)
    for turn in range(FULL_READS):
        assert os.write(theirs, b"x" * 2 * READ_SIZE) == READ_SIZE, turn
        assert len(capture.read() or b"") == READ_SIZE
    assert os.write(theirs, b"x" * 2 * WIDE_SIZE) == WIDE_SIZE
    capture.read(READ_IN_NEED)
    assert len(capture.fresh) == READ_IN_NEED
    assert len(capture.drain()) == WIDE_SIZE  # the beginning of the line that `read` kept is part of it
    os.close(theirs)
    capture.close()


def test_a_pipe_that_is_full_now_and_then_stays_as_it_is(pipe: tuple[Capture, int]) -> None:
    capture, theirs = pipe
    os.set_blocking(theirs, False)
    for _ in range(2 * FULL_READS):
        for size in (READ_SIZE, 1):
            assert os.write(theirs, b"x" * size) == size
            capture.read()
    assert os.write(theirs, b"x" * 2 * WIDE_SIZE) == READ_SIZE
    os.close(theirs)
    capture.close()


@ON_LINUX
def test_a_pipe_that_can_not_become_wider_goes_on(pipe: tuple[Capture, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refused)
    capture, theirs = pipe
    os.set_blocking(theirs, False)
    for _ in range(2 * FULL_READS):
        assert os.write(theirs, b"x" * 2 * READ_SIZE) == READ_SIZE
        assert len(capture.read() or b"") == READ_SIZE
    os.close(theirs)
    capture.close()


def test_pipes_are_not_inherited() -> None:
    ends = open_pipe()
    assert not any(os.get_inheritable(end) for end in ends)
    for end in ends:
        os.close(end)


@live
def test_draining_ends_although_the_pipe_is_filled_faster_than_it_is_read() -> None:
    with children() as start:
        child = start.program("floods")
        taken = child.captures[0].drain(1 << 20)
        while len(taken) < 1 << 20:
            taken += child.captures[0].drain(1 << 20)
        assert len(taken) < (1 << 20) * 2 + READ_SIZE


@live
def test_last_words_without_a_newline_are_not_lost() -> None:
    with children() as start:
        child = start.program("no_newline")
        assert child.wait() == 3
        assert child.captures[0].drain() == b"first\nlast words"


@live
def test_whoever_inherited_the_pipe_does_not_hide_the_exit() -> None:
    with children() as start:
        child = start.run("sh", "-c", "sleep 60 & echo bye")
        assert child.wait() == 0
        assert child.captures[0].drain() == b"bye\n"
        assert len(child.members()) == 1


@live
def test_a_program_that_closes_its_output_lives_on() -> None:
    with children() as start:
        child = start.program("closes_stdout")
        assert child.read() == "closing\n"
        assert child.members() == {child.pid}


@live
def test_all_of_a_flood_arrives() -> None:
    size = 5_000_000 + random.randrange(16)
    with children() as start:
        child = start.program("floods", str(size))
        text = child.read() + (child.captures[0].close() or b"").decode()
        numbers = text.split("\n")
        assert len(text) == size
        assert numbers[:-1] == [f"{number:015d}" for number in range(len(numbers) - 1)]
