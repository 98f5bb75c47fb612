"""Opens a regular file and nothing else: it follows no link, and waits for no FIFO or device."""

import contextlib
import errno
import os
import stat

from supervisor.files.sharing import open_shared

_QUIET = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_REASONS = {
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "its disk is full",
    errno.EDQUOT: "your quota on its disk is used up",
    errno.EFBIG: "it would be larger than this process may write (`ulimit -f`)",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.ENOTDIR: "part of the path is not a directory",
    errno.ELOOP: "it is a symbolic link, which could lead anywhere",
    errno.ENAMETOOLONG: "the path is too long",
    errno.EISDIR: "it is a directory, not a file",
    errno.ENXIO: "it is a FIFO or a socket, not a file",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files on this machine",
}


class Refused(OSError):
    """What is there is not what was expected; `strerror` says what it is."""


def open_file(path: str | os.PathLike[str], flags: int, mode: int = 0o600, *, follow: bool = False) -> int:
    """A descriptor of the regular file at `path`, opened with these flags; not inherited by children.

    A file of ours that is made here, or written to, can be read and written by us whatever the umask was.
    Raises Refused for a link (unless `follow`), a directory, a FIFO, a device; OSError for what else is in the way.
    """
    flags |= _QUIET | _NO_WAIT | (0 if follow else _NO_FOLLOW)
    try:
        descriptor = (open_shared or os.open)(path, flags, mode)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise refusal(path, _kind_at(path, follow)) from error
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise refusal(path, found.st_mode)
        if hasattr(os, "fchmod") and flags & os.O_CREAT and found.st_mode & 0o600 != 0o600 and is_ours(found):
            os.fchmod(descriptor, stat.S_IMODE(found.st_mode) | mode & 0o700)
    except BaseException:
        close(descriptor)
        raise
    return descriptor


def open_known(path: str, inode: tuple[int, int]) -> int | None:
    """A descriptor, for reading, of the file at `path` if it is the one with this device and inode; None if it is not.

    Raises OSError.
    """
    descriptor = (open_shared or os.open)(path, os.O_RDONLY | _QUIET | _NO_WAIT | _NO_FOLLOW)
    try:
        found = os.fstat(descriptor)
    except BaseException:
        close(descriptor)
        raise
    if (found.st_dev, found.st_ino) == inode:
        return descriptor
    close(descriptor)
    return None


def close(descriptor: int) -> None:
    """Closes a file to which nothing was written: what close(2) may tell then, such as EIO, changes nothing for us."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def refusal(path: str | os.PathLike[str], mode: int) -> Refused:
    """What to raise where something with this st_mode is in the place of a file."""
    kind = stat.S_IFMT(mode)
    code = {stat.S_IFLNK: errno.ELOOP, stat.S_IFDIR: errno.EISDIR}.get(kind, errno.ENXIO)
    words = _REASONS[code] if kind == stat.S_IFLNK else f"it is {_KINDS.get(kind, 'something else')}, not a file"
    return Refused(code, words, os.fspath(path))


def is_ours(found: os.stat_result) -> bool:
    """Whether a file belongs to the user that we are; True where files have no such owner."""
    user = getattr(os, "geteuid", None)
    return user is None or found.st_uid == user()


def why(error: BaseException) -> str:
    """Why something could not be done with a file: as the system says it, or what is in its place."""
    return getattr(error, "strerror", None) or str(error)


def explained(error: OSError) -> str:
    """The same, with what it means for a file or directory where the system is short about it."""
    return why(error) if isinstance(error, Refused) else _REASONS.get(error.errno or 0, why(error))


def _kind_at(path: str | os.PathLike[str], follow: bool) -> int:
    try:
        return (os.stat if follow else os.lstat)(path).st_mode
    except OSError:
        return stat.S_IFLNK
