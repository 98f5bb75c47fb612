"""What goes to the terminal: prefixed, whole, and never at the price of waiting for it."""

import asyncio
import errno
import fcntl
import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from supervisor.daemon.console import foreground as front
from supervisor.daemon.console.foreground import Foreground, Pipe, Show, let_go_of


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The reading and the writing end of a pipe; the latter is closed by whoever gets it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)


def read(fd: int) -> bytes:
    """All that is there."""
    data = b""
    while True:
        try:
            chunk = os.read(fd, 1 << 20)
        except BlockingIOError:
            return data
        if not chunk:
            return data
        data += chunk


def test_lines_have_the_name_of_their_service_in_front_all_of_one_width(ends: tuple[int, int]) -> None:
    async def scene() -> None:
        pipe = Pipe(ends[1], asyncio.get_running_loop())
        shown = Foreground(pipe, None, Show(is_coloured=False, has_prefix=True))
        shown.introduce(["a", "longer"])
        shown.log("a", b"one\ntwo\n")
        shown.log("longer", b"no newline")
        shown.log("a", b"\n")
        pipe.close()

    asyncio.run(scene())
    assert read(ends[0]) == b"a      | one\na      | two\nlonger | no newline\na      | \n"


def test_colour_and_prefix_can_be_left_out(ends: tuple[int, int]) -> None:
    async def scene() -> None:
        pipe = Pipe(ends[1], asyncio.get_running_loop())
        for coloured, prefix in ((True, True), (False, False)):
            shown = Foreground(pipe, pipe, Show(is_coloured=coloured, has_prefix=prefix))
            shown.introduce(["a"])
            shown.log("a", b"x\n")
            shown.say("careful", "warning")
        pipe.close()

    asyncio.run(scene())
    coloured, warning, plain, last = read(ends[0]).splitlines()
    assert (coloured, warning) == (b"\x1b[36ma | \x1b[0mx", b"\x1b[33mwarning:\x1b[0m careful")
    assert (plain, last) == (b"x", b"warning: careful")


def test_a_slow_reader_gets_all_in_order_and_holds_nobody_up(ends: tuple[int, int]) -> None:
    lines = b"".join(b"%07d\n" % number for number in range(100_000))

    async def scene() -> bytes:
        pipe = Pipe(ends[1], asyncio.get_running_loop())
        pipe.write(lines)  # far more than a pipe holds: must return all the same
        got = b""
        while len(got) < len(lines):
            got += read(ends[0])
            await asyncio.sleep(0)
        pipe.close()
        return got

    assert asyncio.run(scene()) == lines


def test_what_is_too_much_is_left_out_by_whole_lines_and_said(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "MAX_UNREAD", 200_000)

    async def scene() -> bytes:
        pipe = Pipe(ends[1], asyncio.get_running_loop())
        for number in range(50_000):
            pipe.write(b"%07d\n" % number)
        got = b""
        while b"not shown" not in got:
            got += read(ends[0])
            await asyncio.sleep(0)
        pipe.close()
        return got

    *lines, last = asyncio.run(scene()).decode().splitlines()
    assert lines == [f"{number:07}" for number in range(len(lines))]
    assert last == f"… {50_000 - len(lines)} lines are not shown, `portsup logs` shows all"


def test_a_reader_that_has_left_is_no_mistake(ends: tuple[int, int]) -> None:
    async def scene() -> None:
        pipe = Pipe(ends[1], asyncio.get_running_loop())
        os.dup2(os.open(os.devnull, os.O_RDONLY), ends[0])  # closes the reading end
        shown = Foreground(pipe, pipe, Show(is_coloured=False, has_prefix=True))
        shown.log("a", b"x\n")
        shown.say("y")
        shown.detach()
        shown.log("a", b"x\n")
        shown.say("y")

    asyncio.run(scene())


def test_the_end_flushes_for_a_while_and_then_gives_up(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        pipe = Pipe(ends[1], asyncio.get_running_loop())
        pipe.write(b"x" * 1_000_000)
        pipe.flush(0.05)
        pipe.close()

    asyncio.run(scene())
    assert 0 < len(read(ends[0])) < 1_000_000


def test_the_end_flushes_to_a_descriptor_with_a_large_number(ends: tuple[int, int]) -> None:
    large = fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 1024)  # more than select(2) knows

    async def scene() -> None:
        pipe = Pipe(large, asyncio.get_running_loop())
        pipe.write(b"x" * 1_000_000)
        pipe.flush(0.05)
        pipe.close()

    asyncio.run(scene())
    assert 0 < len(read(ends[0])) < 1_000_000


def test_whoever_waits_for_the_start_is_told_once_how_it_went(ends: tuple[int, int]) -> None:
    shown = Foreground(None, None, Show(is_coloured=False, has_prefix=True, done=ends[1]))
    shown.ready(10)
    shown.ready(0)
    assert read(ends[0]) == b"10\n"


@pytest.mark.parametrize("has_room", [True, False], ids=["as a rule", "without a descriptor to spare"])
def test_whoever_reads_what_was_let_go_of_sees_the_end(has_room: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source, sink = os.pipe()
    before = os.listdir("/proc/self/fd")

    def full(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        for name in () if has_room else ("open", "pipe", "dup"):
            patch.setattr(os, name, full)
        let_go_of(sink)
    assert os.read(source, 1) == b""
    assert len(os.listdir("/proc/self/fd")) == len(before)
    for descriptor in (source, sink):
        os.close(descriptor)
