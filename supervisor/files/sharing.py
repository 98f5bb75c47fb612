"""Opens files so that others may rename or delete them meanwhile: on Windows that has to be said, elsewhere it is so.

Logs are rotated while readers have them open, and records are replaced while they are read.  Source: FILE_SHARE_DELETE,
"CreateFileW", Windows API documentation.
"""

import os
import sys
import time
from collections.abc import Callable

TYPE_CHECKING = False  # to import `typing` costs the quick commands milliseconds
if TYPE_CHECKING:
    from typing import Any

    _winapi: Any
    msvcrt: Any
if "_winapi" in sys.builtin_module_names:
    import _winapi
    import msvcrt
else:  # to look for them in vain takes `status` a quarter of a millisecond
    _winapi = msvcrt = None

_SHARE_ALL = 0x1 | 0x2 | 0x4
_READ, _WRITE = 0x80000000, 0x40000000
_CREATE_NEW, _CREATE_ALWAYS, _OPEN_EXISTING, _OPEN_ALWAYS, _TRUNCATE = 1, 2, 3, 4, 5
_NORMAL = 0x80
# ERROR_ACCESS_DENIED, of a file that is about to be deleted too, and ERROR_SHARING_VIOLATION.
_OF_AN_INSTANT = (5, 32)
_TRIES, _PAUSE = 20, 0.005  # seconds


def _open(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """What `os.open` does with these flags; raises OSError."""
    if os.path.isdir(path):
        raise IsADirectoryError(21, "Is a directory", os.fspath(path))
    access = {os.O_WRONLY: _WRITE, os.O_RDWR: _READ | _WRITE}.get(flags & (os.O_WRONLY | os.O_RDWR), _READ)
    if flags & os.O_CREAT:
        how = _CREATE_NEW if flags & os.O_EXCL else _CREATE_ALWAYS if flags & os.O_TRUNC else _OPEN_ALWAYS
    else:
        how = _TRUNCATE if flags & os.O_TRUNC else _OPEN_EXISTING
    handle = _handle(os.fspath(path), access, how)
    return int(msvcrt.open_osfhandle(handle, flags & os.O_APPEND | getattr(os, "O_NOINHERIT", 0)))


def _handle(path: str, access: int, how: int) -> int:
    """A handle of the file; a file that somebody replaces or marks at this moment is tried again."""
    for left in reversed(range(_TRIES)):
        try:
            return int(_winapi.CreateFile(path, access, _SHARE_ALL, 0, how, _NORMAL, 0))
        except OSError as error:
            number = getattr(error, "winerror", None)
            if number not in _OF_AN_INSTANT or not left:
                raise OSError(error.errno, error.strerror, path, number) from None
        time.sleep(_PAUSE)
    raise AssertionError("the last try gives or raises")


open_shared: Callable[..., int] | None = None if _winapi is None else _open
