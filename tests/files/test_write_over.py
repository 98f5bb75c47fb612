"""A small file that is written over is as before, or not there, where that fails."""

import errno
import os
from pathlib import Path

import pytest

from supervisor.files.replacement import write_over
from tests.support.disks import limited


@pytest.mark.live
def test_a_record_that_is_cut_short_is_as_before_or_not_there(tmp_path: Path) -> None:
    record = tmp_path / "r"
    assert limited(100, lambda: write_over(record, b"{}", 512)) in ("EFBIG", "ENOSPC")
    assert os.listdir(tmp_path) == []
    for old in (b"", b"old", b"old".ljust(90), b"old".ljust(512)):
        record.write_bytes(old)
        assert limited(100, lambda: write_over(record, b"{}".ljust(200), 512)) in ("EFBIG", "ENOSPC")
        assert record.read_bytes() == old
    write_over(record, b"new", 512)
    assert record.read_bytes() == b"new".ljust(512)
    record.write_bytes(b"x" * 100_000)
    write_over(record, b"new", 512)
    assert record.read_bytes() == b"new".ljust(512)


@pytest.mark.parametrize("call", ["write", "close", "fstat", "read", "lseek"])
@pytest.mark.parametrize("old", [None, b"old".ljust(512)])
def test_a_record_of_which_any_call_fails_is_as_before_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, old: bytes | None
) -> None:
    record = tmp_path / "r"
    if old is not None:
        record.write_bytes(old)
    known = getattr(os, call)

    def fail(*given: object) -> object:
        if call == "close":
            known(*given)
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(OSError, match="Input/output"):
            write_over(record, b"new", 512)
    if old is None:
        assert not record.exists()
    elif call != "close":  # it is written by then
        assert record.read_bytes() == old
