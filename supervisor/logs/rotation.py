"""The names of a log's older parts, and how they move up when a new one begins."""

import contextlib
import os

INDEX_SUFFIX = ".idx"


def backup(path: str, number: int) -> str:
    """The part number `number`, 1 being the youngest; 0 is the log itself."""
    return f"{path}.{number}" if number else path


def rotate(path: str, backups: int, *, with_index: bool = False) -> None:
    """Move every part one number up and drop the oldest, so that nothing is at `path` any more; raises OSError.

    Where something that is no file stands in the way of a part, the part before it is dropped instead.
    """
    suffixes = ("", INDEX_SUFFIX) if with_index else ("",)
    for suffix in suffixes:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError, PermissionError):  # EPERM: a directory, POSIX
            os.unlink(backup(path, backups) + suffix)
    for number in range(backups - 1, -1, -1):
        for suffix in suffixes:
            _move(backup(path, number) + suffix, backup(path, number + 1) + suffix, may_stay=number > 0 or suffix != "")


def _move(part: str, to: str, *, may_stay: bool) -> None:
    try:
        os.replace(part, to)
    except FileNotFoundError:
        pass
    except OSError:
        if not may_stay:
            raise
