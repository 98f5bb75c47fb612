"""A rendered file is replaced whole, and only where that is safe."""

import os
import stat
from pathlib import Path

import pytest

from supervisor.daemon.rendering import replace


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert replace(tmp_path / "a", b"1\r\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == b"1\r\n"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_another_content_keeps_the_mode_and_is_another_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    file.chmod(0o600)
    before = file.stat()
    with file.open("rb") as reader:
        assert replace(file, b"2")
        assert reader.read() == b"1"
    after = file.stat()
    assert (after.st_mode, file.read_bytes()) == (before.st_mode, b"2")
    assert after.st_ino != before.st_ino


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    before = file.stat()
    assert not replace(file, b"1")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_symbolic_link_stays_and_so_does_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / "link").symlink_to("other")
    with pytest.raises(OSError, match="it is a symbolic link"):
        replace(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "other").read_text() == "kept"


def test_a_pipe_is_no_place_for_it_and_nobody_waits_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no regular file"):
        replace(tmp_path / "pipe", b"new")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        replace(tmp_path / "none" / "a", b"1")

    def refuse(*paths: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        replace(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_with_our_number_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".a.{os.getpid()}.new").symlink_to("trap")
    assert replace(tmp_path / "a", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
