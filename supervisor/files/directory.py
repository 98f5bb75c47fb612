"""Directories that only we can change: how they are made, and what makes one unsafe.

Whoever can write in a directory, or in one above it, can put a link in the place of a file that we are about to write.
So the owner and the mode of each directory on the way count, and those of each link that is followed there.
"""

import errno
import os
import stat
from collections.abc import Collection, Iterator, Sequence

from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError

MOST_LINKS = 40  # as many as the kernel follows, path_resolution(7)


@dataclass(frozen=True, slots=True)
class Entry:
    """What lstat(2) says of a path."""

    path: str
    mode: int
    owner: int
    group: int


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom we trust with our files: these users, and that nobody else is in these groups."""

    user: int
    users: Collection[int]
    groups: Collection[int]


def flaw(directory: Entry, *, trust: Trust, is_closed: bool) -> tuple[str, str] | None:
    """Why a directory is not ours alone, and what to do about that; None if it is.

    `is_closed`: others may not even read it.
    """
    if stat.S_ISLNK(directory.mode):
        return "it is a symbolic link, which could lead anywhere", "remove the link"
    if not stat.S_ISDIR(directory.mode):
        return "it is a file, not a directory", "remove it"
    if directory.owner != trust.user:
        return f"it belongs to {user_name(directory.owner)}, not to you", ""
    mode = stat.S_IMODE(directory.mode)
    if is_closed and mode & 0o077:
        return f"others may enter it (mode {mode:04o})", f"`chmod 700 {directory.path}`"
    if _others_may_write(directory, trust):
        return f"others may write in it (mode {mode:04o})", f"`chmod go-w {directory.path}`"
    return None


def flaw_above(above: Sequence[Entry], *, trust: Trust) -> tuple[str, str] | None:
    """The same of the directories and links on the way to one."""
    for entry in above:
        if entry.owner not in trust.users:
            return f"`{entry.path}` above it belongs to {user_name(entry.owner)}, who can put another in its place", ""
        if stat.S_ISDIR(entry.mode) and not entry.mode & stat.S_ISVTX and _others_may_write(entry, trust):
            mode = stat.S_IMODE(entry.mode)
            what = f"others may write in `{entry.path}` above it (mode {mode:04o}), and put another in its place"
            return what, f"`chmod go-w {entry.path}`"
    return None


def _others_may_write(entry: Entry, trust: Trust) -> bool:
    return bool(entry.mode & 0o002) or (bool(entry.mode & 0o020) and entry.group not in trust.groups)


def check(path: str, what: str, *, is_closed: bool, elsewhere: str) -> None:
    """Raises PortsupError, which begins with `what`, where a directory is not safe; one that is missing is no mistake.

    `elsewhere` is the hint that always holds.  Raises OSError where it cannot be looked at.
    """
    if not hasattr(os, "geteuid"):  # Windows: the user's own folders are closed to others by their access lists
        return
    try:
        directory: Entry | None = _entry(path)
    except FileNotFoundError:
        directory = None
    above = list(_above(path))

    def flaw_for(trust: Trust) -> tuple[str, str] | None:
        own = flaw(directory, trust=trust, is_closed=is_closed) if directory is not None else None
        return own or flaw_above(above, trust=trust)

    me = os.geteuid()
    found = flaw_for(Trust(me, {0, me}, {0}))
    if found is not None:  # rare, and who else can be trusted takes time to find out
        found = flaw_for(Trust(me, {0, me, *_unmapped_root()}, {0, *_own_group(me)}))
    if found is not None:
        reason, remedy = found
        raise PortsupError(what, reason, f"{remedy}, or {elsewhere}" if remedy else elsewhere)


def make(path: str | os.PathLike[str]) -> None:
    """Makes a directory and those above it that are missing, each for us alone whatever the umask; raises OSError."""
    path = os.fspath(path)
    parent = os.path.dirname(path)
    if parent not in ("", path) and not os.path.lexists(parent):
        make(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a directory", path) from None
    else:
        os.chmod(path, 0o700)  # whatever the umask took away


def user_name(uid: int) -> str:
    """The name of a user, `uid 1000` where it has none."""
    import pwd  # late: the quick commands need no names

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _unmapped_root() -> Iterator[int]:
    """In a user namespace root of the machine has no number, and its files are those of the overflow user,
    user_namespaces(7).
    """
    try:
        with open("/proc/self/uid_map") as file:
            maps = [list(map(int, line.split())) for line in file]
        if any(inside == outside == 0 and count > 1 for inside, outside, count in maps):
            return
        with open("/proc/sys/kernel/overflowuid") as file:
            yield int(file.read())
    except (OSError, ValueError):  # no Linux, or no /proc
        return


def _own_group(me: int) -> Iterator[int]:
    """The group of the same name that many systems give to each user, if nobody else is in it."""
    try:
        import grp
        import pwd

        user = pwd.getpwuid(me)
        group = grp.getgrgid(user.pw_gid)
    except (ImportError, KeyError):
        return
    if group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}:
        yield user.pw_gid


def _above(path: str) -> Iterator[Entry]:
    """Every directory and link on the way to `path`, which is absolute; what is missing ends it."""
    left = [part for part in os.path.dirname(path).split(os.sep) if part][::-1]
    here, links = os.sep, 0
    yield _entry(here)
    while left:
        part = left.pop()
        if part == os.curdir:
            continue
        if part == os.pardir:
            here = os.path.dirname(here)
            continue
        here = os.path.join(here, part)
        try:
            entry = _entry(here)
        except FileNotFoundError:
            return
        yield entry
        if stat.S_ISLNK(entry.mode):
            links += 1
            if links > MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(here)
            left += [each for each in target.split(os.sep) if each][::-1]
            here = os.sep if os.path.isabs(target) else os.path.dirname(here)


def _entry(path: str) -> Entry:
    found = os.lstat(path)
    return Entry(path, found.st_mode, found.st_uid, found.st_gid)
