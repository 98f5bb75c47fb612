"""The fast way to start a program."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.errors import SpawnError
from supervisor.process import low, vfork
from supervisor.process.filters import Filters, why_not
from supervisor.process.spawn import spawn
from supervisor.system.held_calls import HeldCalls
from tests.support.children import children

pytestmark = [pytest.mark.live, pytest.mark.skipif(not vfork.works(), reason="this system cannot do it the fast way")]

_PRINTS_DESCRIPTORS = (
    sys.executable, "-S", "-c", "import os, sys; print(','.join(os.listdir('/proc/self/fd')), sys.argv[1])",
)  # fmt: skip


def test_what_was_laid_out_for_one_program_is_not_done_for_the_next(tmp_path: Path) -> None:
    """The calls that are the same are copied, and those that are not are made anew, at whatever place they are."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    code = "import os, sys; print(os.getcwd(), os.umask(0), sys.argv[1], len(os.listdir('/proc/self/fd')))"
    ends = os.pipe()
    places = [("a", 0o22, ()), ("a", 0o22, ()), ("b", None, ends)] * 3
    try:
        with children() as start:
            for number, (name, umask, passed) in enumerate(places):
                folder = str(tmp_path / name)
                command = (sys.executable, "-S", "-c", code, str(number))
                told = start.run(*command, working_dir=folder, umask=umask, passed=passed).read().split()
                mask = os.umask(0o22)
                os.umask(mask)
                assert told == [folder, str(mask if umask is None else umask), str(number), str(4 + len(passed))]
    finally:
        for end in ends:
            os.close(end)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """We have so many descriptors that a child gets a copy of the first of them alone."""
    low.reserve()
    ours = [os.open(os.devnull, os.O_RDONLY) for _ in range(300)]
    yield ours
    for each in ours:
        os.close(each)


def streams() -> list[str]:
    return [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]


def all_of_ours() -> dict[str, str]:
    names = os.listdir("/proc/self/fd")
    return {name: os.readlink(f"/proc/self/fd/{name}") for name in names if os.path.lexists(f"/proc/self/fd/{name}")}


@pytest.mark.skipif(not vfork.can_leave(), reason="no CLOSE_RANGE_UNSHARE here")
def test_a_child_of_many_descriptors_gets_what_it_needs_and_we_keep_what_we_have(many: list[int]) -> None:
    before = all_of_ours()
    with children() as start:
        for number in range(3):
            told = start.run(*_PRINTS_DESCRIPTORS, str(number)).read().split()
            assert told == ["0,1,2,3", str(number)]
            assert {name: path for name, path in all_of_ours().items() if name in before} == before


def test_nobody_has_the_end_of_a_pipe_after_a_start(many: list[int]) -> None:
    with children() as start:
        assert start.run(*_PRINTS_DESCRIPTORS, "0").read()  # it would wait without end


@pytest.mark.parametrize("fails", [False, True])
def test_our_streams_stay_ours_where_a_child_cannot_leave_our_table(
    many: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: bool
) -> None:
    """The kernel may have no memory for a table of its own: here the call has no such number."""
    monkeypatch.setattr(vfork, "can_leave", lambda: True)
    monkeypatch.setattr(vfork, "_CLOSE_RANGE", 100_000)
    before = streams()
    with children() as start:
        if fails:
            (script := tmp_path / "none").write_text("#!/nowhere\n")
            script.chmod(0o755)
            with pytest.raises(SpawnError):
                start.run(str(script))
        else:
            assert start.run(*_PRINTS_DESCRIPTORS, "x").read().split() == ["0,1,2,3", "x"]
        assert streams() == before


@pytest.mark.skipif(bool(why_not()), reason="no handoff here")
@pytest.mark.parametrize("number", [436, 100_000])
def test_the_descriptor_of_the_filter_comes_from_a_child_of_many(
    many: list[int], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whether it could leave our table of descriptors, in which that descriptor is our standard input else, or not."""
    monkeypatch.setattr(vfork, "can_leave", lambda: True)
    monkeypatch.setattr(vfork, "_CLOSE_RANGE", number)
    filters, before = Filters(), streams()
    under = filters.get()
    assert under is not None
    with children() as start:
        pid = spawn(start.command(*_PRINTS_DESCRIPTORS, "x"), under.calls)
        calls = HeldCalls(under.take())
        assert streams() == before
        os.waitpid(pid, 0)
        assert calls.is_over()
        calls.close()
    filters.close()
