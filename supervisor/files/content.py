"""Reads files: whole, with a stated limit, and regular ones only."""

import errno
import os

from supervisor.files.opening import Refused, close, open_file


def read(path: str | os.PathLike[str], limit: int, *, follow: bool = False) -> bytes:
    """All that the file at `path` holds.

    Raises Refused where it is longer than `limit` bytes or no regular file (`follow`: a link to one will do), OSError
    where it cannot be read.  Nothing is ever cut off.
    """
    descriptor = open_file(path, os.O_RDONLY, follow=follow)
    try:
        return read_open(descriptor, limit, path)
    finally:
        close(descriptor)


def read_open(descriptor: int, limit: int, path: str | os.PathLike[str]) -> bytes:
    """The same from a descriptor that is open, perhaps a pipe; `path` is for the words of an error."""
    pieces, size = [], 0
    while piece := os.read(descriptor, min(1 << 20, limit + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise Refused(errno.EFBIG, f"it is larger than {_size(limit)}", os.fspath(path))
    return b"".join(pieces)


def _size(limit: int) -> str:
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if limit >= unit and limit % unit == 0:
            return f"{limit // unit} {name}"
    return f"{limit} bytes"
