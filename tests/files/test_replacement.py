"""A file is written whole or not at all, and only where that is safe."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from supervisor.files.content import read
from supervisor.files.opening import Refused
from supervisor.files.replacement import write, write_if_different, write_new, write_over
from tests.support.disks import fill, limited, small_disk


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert write_if_different(tmp_path / "a", b"1\r\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == b"1\r\n"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_temporary_file_that_could_not_be_removed_is_removed_by_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", refuse)
        broken.setattr(os, "unlink", refuse)
        with pytest.raises(OSError, match="Input/output"):
            write(tmp_path / "a", b"1", mode=0o600)
    assert len(os.listdir(tmp_path)) == 1
    write(tmp_path / "b", b"2", mode=0o600)
    assert os.listdir(tmp_path) == ["b"]


def test_another_content_keeps_the_mode_and_is_another_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    file.chmod(0o600)
    before = file.stat()
    with file.open("rb") as reader:
        assert write_if_different(file, b"2")
        assert reader.read() == b"1"
    after = file.stat()
    assert (after.st_mode, file.read_bytes()) == (before.st_mode, b"2")
    assert after.st_ino != before.st_ino


def test_a_new_file_has_no_more_rights_than_it_may(tmp_path: Path) -> None:
    assert write_if_different(tmp_path / "a", b"secret", most=0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    (tmp_path / "a").chmod(0o640)
    assert write_if_different(tmp_path / "a", b"another", most=0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640, "somebody has chosen that"


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    before = file.stat()
    assert not write_if_different(file, b"1")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_symbolic_link_stays_and_so_does_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / "link").symlink_to("other")
    with pytest.raises(OSError, match="it is a symbolic link"):
        write_if_different(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "other").read_text() == "kept"


def test_a_pipe_is_no_place_for_it_and_nobody_waits_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a FIFO, not a file"):
        write_if_different(tmp_path / "pipe", b"new")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        write_if_different(tmp_path / "none" / "a", b"1")

    def refuse(*paths: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        write_if_different(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    old, new, other = (
        tmp_path / name for name in (".a.0123456789ab.new", ".a.ba9876543210.new", ".b.0123456789ab.new")
    )
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (1e9, 1e9))
    assert write_if_different(tmp_path / "a", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", new.name, other.name])


@pytest.mark.live
@pytest.mark.parametrize("durable", [False, True])
def test_a_short_write_leaves_the_old_content_and_nothing_else(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    for act in (
        lambda: write(file, b"x" * 10000, mode=0o600, durable=durable),
        lambda: write_if_different(file, b"x" * 10000),
        lambda: write_new(tmp_path / "b", b"x" * 10000),
    ):
        assert limited(8192, act) == "EFBIG"
        assert (os.listdir(tmp_path), file.read_bytes()) == (["a"], b"old")


@pytest.mark.live
@pytest.mark.skipif(os.getuid() != 0, reason="mounts a file system, which needs root")
def test_on_a_full_disk_each_way_to_write_leaves_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "d", "size=64k") as disk:
        (disk / "old").write_bytes(b"old")
        (disk / "record").write_bytes(b"old".ljust(512))
        fill(disk)
        for act in (
            lambda: write(disk / "old", b"x" * 9000, mode=0o600),
            lambda: write(disk / "new", b"x", durable=True),
            lambda: write_if_different(disk / "old", b"x"),
            lambda: write_new(disk / "new", b"x"),
            lambda: write_over(disk / "new", b"x", 512),
            lambda: write_over(disk / "old", b"x", 1 << 15),
        ):
            with pytest.raises(OSError, match="No space left"):
                act()
            assert sorted(os.listdir(disk)) == ["filler", "old", "record"]
            assert (disk / "old").read_bytes() == b"old"
        write_over(disk / "record", b"new", 512)
        assert (disk / "record").read_bytes() == b"new".ljust(512), "a record that is there has room"


def test_a_new_file_without_hard_links_that_cannot_be_named_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "link", refuse)
    write_new(tmp_path / "a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="Input/output"):
        write_new(tmp_path / "b", b"1")
    assert os.listdir(tmp_path) == ["a"]


def test_the_mode_is_exact_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0, 0o777):
        before = os.umask(umask)
        try:
            write(tmp_path / "a", b"1", mode=0o600)
            write_new(tmp_path / f"new-{umask}", b"1")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new-0").stat().st_mode) == 0o666
    assert stat.S_IMODE((tmp_path / "new-511").stat().st_mode) == 0o600, "we can read what we wrote"


def test_a_private_file_is_private_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, seen = tmp_path / "a", []
    file.touch(0o600)
    fill = os.write

    def look(descriptor: int, data: bytes) -> int:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return fill(descriptor, data)

    monkeypatch.setattr(os, "write", look)
    before = os.umask(0)
    try:
        write(file, b"secret")
    finally:
        os.umask(before)
    assert seen == [0o600]


@pytest.mark.parametrize("kind", ["link", "dangling", "directory", "fifo", "socket", "device"])
def test_what_is_no_file_is_neither_replaced_nor_written_through(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "link":
        (tmp_path / "other").write_bytes(b"kept")
        path.symlink_to("other")
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        pytest.importorskip("socket")
        if os.getuid() != 0:
            pytest.skip("only root makes a socket without binding it")
        os.mknod(path, stat.S_IFSOCK | 0o600)
    else:
        if os.getuid() != 0:
            pytest.skip("only root makes devices")
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 7))
    before, there = path.lstat(), sorted(os.listdir(tmp_path))
    for act in (lambda: write(path, b"new", mode=0o600), lambda: write_if_different(path, b"new")):
        with pytest.raises(Refused):
            act()
    with pytest.raises(FileExistsError):
        write_new(path, b"new")
    with pytest.raises(Refused):
        write_over(path, b"new", 512)
    assert (path.lstat().st_ino, sorted(os.listdir(tmp_path))) == (before.st_ino, there)
    if kind == "link":
        assert (tmp_path / "other").read_bytes() == b"kept"


def test_what_is_there_is_written_over_only_where_it_is_what_was_expected(tmp_path: Path) -> None:
    record = tmp_path / "record"
    write_over(record, b"mine", 8)
    write_over(record, b"new", 8, lambda old: old.startswith(b"mine"))
    write_over(record, b"newer", 8, lambda old: old.startswith(b"mine"))
    assert record.read_bytes() == b"new".ljust(8)
    write_over(tmp_path / "none", b"new", 8, lambda old: True)
    assert os.listdir(tmp_path) == ["record"]


def test_a_name_as_long_as_a_file_system_takes_can_be_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "ä" * 127):
        write(tmp_path / name, b"1", mode=0o600)
        write(tmp_path / name, b"2", mode=0o600)
        assert (tmp_path / name).read_bytes() == b"2"


def test_readers_see_the_old_or_the_new_and_never_a_part(tmp_path: Path) -> None:
    file, ends = tmp_path / "a", threading.Event()
    write(file, b"a" * 100000, mode=0o600)

    def keep_writing() -> None:
        while not ends.is_set():
            for letter in (b"a", b"b"):
                write(file, letter * 100000, mode=0o600)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for _ in range(200):
            assert read(file, 1 << 20) in (b"a" * 100000, b"b" * 100000)
    finally:
        ends.set()
        writer.join()
