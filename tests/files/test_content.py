"""Files are read whole, up to a limit that is stated, and only where they are files."""

import os
from pathlib import Path

import pytest

from supervisor.files.content import read
from supervisor.files.opening import Refused, open_file, why


def test_a_file_is_read_to_its_end_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 4096)
    assert read(file, 4096) == b"x" * 4096
    with pytest.raises(Refused) as caught:
        read(file, 4095)
    assert why(caught.value) == "it is larger than 4095 bytes"
    file.write_bytes(b"x" * (1 << 21))
    with pytest.raises(Refused) as caught:
        read(file, 1 << 20)
    assert why(caught.value) == "it is larger than 1 MiB"


def test_an_endless_file_ends_at_the_limit() -> None:
    with pytest.raises(Refused, match="a device, not a file"):
        read("/dev/zero", 4096)


def test_links_are_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to("a")
    assert read(tmp_path / "link", 10, follow=True) == b"1"
    with pytest.raises(Refused, match="it is a symbolic link"):
        read(tmp_path / "link", 10)
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(Refused, match="it is a symbolic link"):
        read(tmp_path / "dangling", 10)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "dangling", 10, follow=True)


@pytest.mark.parametrize("follow", [False, True])
def test_nobody_waits_at_a_pipe_and_a_directory_is_named(tmp_path: Path, follow: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refused, match="it is a FIFO, not a file"):
        read(tmp_path / "pipe", 10, follow=follow)
    with pytest.raises(Refused, match="it is a FIFO, not a file"):
        open_file(tmp_path / "pipe", os.O_WRONLY | os.O_CREAT, follow=follow)
    with pytest.raises(Refused, match="it is a directory, not a file"):
        read(tmp_path, 10, follow=follow)


def test_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(Refused):
            open_file(tmp_path / "pipe", os.O_RDWR)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_made_can_be_read_by_us_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        os.close(open_file(tmp_path / "a", os.O_RDWR | os.O_CREAT))
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
