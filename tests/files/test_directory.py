"""A directory is ours alone, or it is not used: as a rule over facts, and with real directories."""

import os
import stat
from pathlib import Path

import pytest

from supervisor.errors import PortsupError
from supervisor.files.directory import Entry, Trust, check, flaw, flaw_above, make

ME, OTHER, GROUP = 1000, 1001, 100
TRUST = Trust(ME, {0, ME}, {0, GROUP})


def entry(mode: int, owner: int = ME, group: int = GROUP, path: str = "/d") -> Entry:
    return Entry(path, mode, owner, group)


@pytest.mark.parametrize(
    ("found", "is_closed", "why"),
    [
        (entry(stat.S_IFDIR | 0o700), True, None),
        (entry(stat.S_IFDIR | 0o755), False, None),
        (entry(stat.S_IFDIR | 0o775), False, None),
        (entry(stat.S_IFDIR | 0o775, group=7), False, "others may write in it (mode 0775)"),
        (entry(stat.S_IFDIR | 0o757), False, "others may write in it (mode 0757)"),
        (entry(stat.S_IFDIR | 0o1777), False, "others may write in it (mode 1777)"),
        (entry(stat.S_IFDIR | 0o750), True, "others may enter it (mode 0750)"),
        (entry(stat.S_IFDIR | 0o700, owner=0), False, "it belongs to root, not to you"),
        (entry(stat.S_IFLNK | 0o777), False, "it is a symbolic link, which could lead anywhere"),
        (entry(stat.S_IFREG | 0o600), False, "it is a file, not a directory"),
    ],
)
def test_what_makes_a_directory_unsafe(found: Entry, is_closed: bool, why: str | None) -> None:
    wrong = flaw(found, trust=TRUST, is_closed=is_closed)
    assert (wrong and wrong[0]) == why


@pytest.mark.parametrize(
    ("found", "is_safe"),
    [
        (entry(stat.S_IFDIR | 0o755, owner=0), True),
        (entry(stat.S_IFDIR | 0o1777, owner=0), True),
        (entry(stat.S_IFDIR | 0o777, owner=0), False),
        (entry(stat.S_IFDIR | 0o755, owner=OTHER), False),
        (entry(stat.S_IFDIR | 0o1777, owner=OTHER), False),
        (entry(stat.S_IFDIR | 0o775, owner=0, group=0), True),
        (entry(stat.S_IFDIR | 0o775, owner=0, group=5), False),
        (entry(stat.S_IFLNK | 0o777, owner=0), True),
        (entry(stat.S_IFLNK | 0o777, owner=OTHER), False),
    ],
)
def test_what_makes_one_above_it_unsafe(found: Entry, is_safe: bool) -> None:
    assert (flaw_above([entry(stat.S_IFDIR | 0o755, owner=0), found], trust=TRUST) is None) is is_safe


def refused(path: Path) -> str:
    try:
        check(str(path), "cannot", is_closed=False, elsewhere="elsewhere")
    except PortsupError as error:
        return error.why
    return ""


def test_links_on_the_way_are_followed_and_where_they_lead_counts(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "far").symlink_to("real/../link/./inner")
    assert refused(tmp_path / "link" / "inner") == ""
    assert refused(tmp_path / "far" / "missing") == ""
    (tmp_path / "real").chmod(0o777)
    for path in (tmp_path / "link" / "inner", tmp_path / "far" / "missing"):
        assert "others may write in" in refused(path)
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError, match="symbolic links"):
        refused(tmp_path / "round" / "x")


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives things away")
def test_what_belongs_to_somebody_else_on_the_way_is_no_way(tmp_path: Path) -> None:
    (tmp_path / "theirs" / "d").mkdir(parents=True)
    os.chown(tmp_path / "theirs", 12345, 12345)
    assert "theirs` above it belongs to uid 12345" in refused(tmp_path / "theirs" / "d")
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to("mine")
    os.chown(tmp_path / "link", 12345, 12345, follow_symlinks=False)
    assert "link` above it belongs to uid 12345" in refused(tmp_path / "link" / "d")


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_every_directory_that_is_made_is_for_us_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}
    make(made[-1])


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(NotADirectoryError):
            make(path)
