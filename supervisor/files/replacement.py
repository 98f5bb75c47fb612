"""Writes files whole or not at all: the one way to put content in the place of a file."""

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Callable

from supervisor.files.content import read
from supervisor.files.opening import Refused, is_ours, open_file, refusal
from supervisor.files.sharing import open_shared

_LONGEST_NAME = 200  # bytes of a name that a temporary one is made of; a file system takes 255

_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{12}\.new")
_TRIES, _PAUSE = 100, 0.005  # on Windows a file that somebody has open takes no other's place; seconds
_LARGEST_RECORD = 1 << 16  # bytes of a file that is written over
_ABANDONED = 60.0  # seconds after which a temporary file is one that nobody will rename
_swept: set[tuple[str, str]] = set()
_left: set[str] = set()  # temporary files of ours that could not be removed; the next `write` tries again


def write(
    path: str | os.PathLike[str], data: bytes, *, mode: int | None = None, most: int = 0o666, durable: bool = False
) -> None:
    """Puts `data` in the place of the file at `path`; readers see the old content or the new one, and never a part.

    All bytes are in a temporary file of the same directory, and counted, before that takes its place.  `durable`: on
    the disk as well, fsync(2), so that a power cut leaves one of the two.  The file gets `mode` exactly; with None it
    keeps mode and, where we may, owner of the one that is there, and a new one gets what the umask leaves of `most`.
    Raises Refused where something else than a regular file is at `path` (a link is neither followed nor replaced),
    OSError where it cannot be written; nothing is left behind then.
    """
    for each in tuple(_left):
        _remove(each)
    old = _status(path)
    _sweep(path)
    temporary = _beside(path)
    first = mode if mode is not None else stat.S_IMODE(old.st_mode) & 0o777 if old is not None else most
    try:
        descriptor = open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, first)  # may have made it and fail
        try:
            _fill(descriptor, data, temporary)
            _take_after(descriptor, old, mode)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)  # may tell of an error, too: NFS writes only now
        _replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise
    if durable:
        _sync_directory(os.path.dirname(os.path.abspath(path)))


def _replace(temporary: str, path: str | os.PathLike[str]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if open_shared is None or not left:
                raise
        time.sleep(_PAUSE)  # somebody reads it at this moment


def write_new(path: str | os.PathLike[str], data: bytes, *, mode: int | None = None) -> None:
    """Makes a file that was not there, whole and durable; raises FileExistsError if anything is at `path`.

    It gets `mode` exactly, or what the umask says.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
    temporary = _beside(path)
    write(temporary, data, mode=mode, durable=True)
    try:
        os.link(temporary, path)  # fails if somebody was faster
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a file system without hard links: its name is taken first
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode))
        try:
            _replace(temporary, path)
        except BaseException:
            _remove(os.fspath(path))  # only its name was there
            raise
    finally:
        _remove(temporary)


def write_if_different(path: str | os.PathLike[str], data: bytes, *, most: int = 0o666) -> bool:
    """`write`, unless the file holds exactly that already; whether it was written."""
    if _status(path) is not None:
        with contextlib.suppress(PermissionError, Refused):  # a file that we may replace and not read; a longer one
            if read(path, len(data)) == data:
                return False
    write(path, data, most=most)
    return True


def write_over(
    path: str | os.PathLike[str], data: bytes, size: int, only_where: Callable[[bytes], bool] | None = None
) -> None:
    """Writes `data` over the beginning of a file of fixed size: for small files that are written very often.

    One system call, filled up with blanks, so no reader sees half of it and half of what was there.  Where that fails
    the file is as it was before, and one that was not there is not made.  `only_where` is asked about what is there:
    if it says no, and where there is no file, nothing is written.  Raises Refused and OSError.
    """
    is_new = False
    try:
        try:
            descriptor = open_file(path, os.O_RDWR)
        except FileNotFoundError:
            if only_where is not None:
                return
            is_new = True  # from here on: it may be made and not be opened
            descriptor = open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            _put_over(descriptor, data, size, path, only_where)
        finally:
            os.close(descriptor)
    except BaseException as error:
        if is_new and not isinstance(error, FileExistsError):
            with contextlib.suppress(OSError):
                os.unlink(path)
        raise


def _put_over(
    descriptor: int, data: bytes, size: int, path: str | os.PathLike[str], only_where: Callable[[bytes], bool] | None
) -> None:
    old = os.read(descriptor, _LARGEST_RECORD + 1)
    if only_where is not None and not only_where(old):
        return
    if len(old) > _LARGEST_RECORD:  # not by us
        os.ftruncate(descriptor, 0)
        old = b""
    line = data.ljust(max(size, len(old)))
    written = 0
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        written = os.write(descriptor, line)
        if written < len(line):
            raise _no_space(path)
    except OSError:
        if written:
            os.ftruncate(descriptor, len(old))
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, old)  # it was there, so there is room for it
        raise


def _status(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Of the file that is there, None if there is none; raises Refused for what is no regular file."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise refusal(path, found.st_mode)
    return found


def _beside(path: str | os.PathLike[str]) -> str:
    directory, name = os.path.split(os.fspath(path))
    # Not by our pid: another PID namespace may have the same one.
    return os.path.join(directory, f".{_short(name)}.{os.urandom(6).hex()}.new")


def written_for(name: str) -> str | None:
    """The name of the file that a temporary one of `write` was to become; None of any other file."""
    found = _TEMPORARY.fullmatch(name)
    return found and found[1]


def _remove(temporary: str) -> None:
    try:
        os.unlink(temporary)
    except FileNotFoundError:
        pass
    except OSError:
        _left.add(temporary)
        return
    _left.discard(temporary)


def _sweep(path: str | os.PathLike[str]) -> None:
    """Removes what processes that were killed in the middle of a `write` left, once for each path."""
    directory, name = os.path.split(os.path.abspath(path))
    if (directory, name) in _swept:
        return
    _swept.add((directory, name))
    begin = f".{_short(name)}."
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(begin) and entry.name.endswith(".new"):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode) and is_ours(found) and found.st_mtime < time.time() - _ABANDONED:
                    os.unlink(entry.path)


def _short(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])


def _fill(descriptor: int, data: bytes, path: str) -> None:
    view = memoryview(data)
    while view:
        written = os.write(descriptor, view)
        if not written:
            raise _no_space(path)
        view = view[written:]
    if os.fstat(descriptor).st_size != len(data):
        raise OSError(errno.EIO, "the file system lost a part of what was written", path)


def _take_after(descriptor: int, old: os.stat_result | None, mode: int | None) -> None:
    if not hasattr(os, "fchmod"):  # Windows before Python 3.13 has no modes that mean anything
        return
    if mode is not None:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:  # each change of a mode is one of the disk
            os.fchmod(descriptor, mode)
    elif old is not None:
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)


def _no_space(path: str | os.PathLike[str]) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))


def _sync_directory(directory: str) -> None:
    """The new name on the disk as well; not every file system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
