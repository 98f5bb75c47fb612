"""The names of a log's older parts, and how they move up when a new one begins."""

import contextlib
import os

INDEX_SUFFIX = ".idx"


def backup(path: str, number: int) -> str:
    """The part number `number`, 1 being the youngest; 0 is the log itself."""
    return f"{path}.{number}" if number else path


def rotate(path: str, backups: int, *, with_index: bool = False) -> None:
    """Move every part one number up and drop the oldest, so that nothing is at `path` any more; raises OSError."""
    suffixes = ("", INDEX_SUFFIX) if with_index else ("",)
    for suffix in suffixes:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(backup(path, backups) + suffix)
    for number in range(backups - 1, -1, -1):
        for suffix in suffixes:
            with contextlib.suppress(FileNotFoundError):
                os.replace(backup(path, number) + suffix, backup(path, number + 1) + suffix)
