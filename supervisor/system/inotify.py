"""Changes of files told by the Linux kernel, inotify(7)."""

import os
import socket
import struct

from supervisor.system import libc
from supervisor.system.contract import Watch, WatchEvent, WatchKind

_MODIFY, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x2, 0x8, 0x40, 0x80
_CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_UNMOUNT, _OVERFLOW, _IGNORED = 0x2000, 0x4000, 0x8000
_SELF = _DELETE_SELF | _MOVE_SELF
_ENTRIES = _CREATE | _DELETE | _MOVED_FROM | _MOVED_TO | _CLOSE_WRITE
_KINDS = (
    (_OVERFLOW, WatchKind.OVERFLOW),
    (_DELETE_SELF | _MOVE_SELF | _UNMOUNT | _IGNORED, WatchKind.GONE),
    (_DELETE, WatchKind.DELETED),
    (_MOVED_FROM, WatchKind.MOVED_AWAY),
    (_MOVED_TO, WatchKind.MOVED_HERE),
    (_CREATE, WatchKind.CREATED),
    (_CLOSE_WRITE, WatchKind.WRITTEN),
    (_MODIFY, WatchKind.MODIFIED),
)
_AT_ONCE = 1 << 16  # bytes; what has happened since is read the next time, or who floods us would never let us go
# File systems whose changes are all made on this machine: tmpfs, ramfs, ext2 to ext4, XFS, Btrfs, F2FS; statfs(2).
_LOCAL = frozenset((0x01021994, 0x858458F6, 0xEF53, 0x58465342, 0x9123683E, 0xF2F52010))
_COLLECTS_ASIDE = (6, 9)
_EVENT = struct.Struct("iIII")  # struct inotify_event: watch, mask, cookie, length of the name


class Inotify(Watch):
    """A `Watch` on Linux."""

    def __init__(self) -> None:
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._paths: dict[int, str] = {}
        self._is_strange: bool | None = None  # something is where others than this kernel can change it, once known
        self._deaf = False  # something is watched no more

    @property
    def misses_nothing(self) -> bool:  # type: ignore[override]
        if self._is_strange is None:  # not asked at the start, for which everybody waits
            try:
                self._is_strange = any(libc.kind_of_file_system(path) not in _LOCAL for path in self._paths.values())
            except OSError:
                return False
        return bool(self._paths) and not self._is_strange and not self._deaf

    def fileno(self) -> int:
        return self._descriptor

    def add(self, path: str, *, entries: bool = True, modified: bool = False) -> None:
        mask = _SELF | (_ENTRIES if entries else 0) | (_MODIFY if modified else 0)
        self._paths[libc.inotify_add_watch(self._descriptor, path, mask)] = path
        self._is_strange = None

    def read(self) -> list[WatchEvent]:
        events: list[WatchEvent] = []
        if self._descriptor < 0:
            return events
        try:
            data = os.read(self._descriptor, _AT_ONCE)
        except BlockingIOError:
            return events
        at = 0
        while at < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            name = data[at - length : at].rstrip(b"\0")
            path = self._paths.get(watch, "")
            if mask & _IGNORED:
                self._paths.pop(watch, None)
            self._deaf |= bool(mask & (_SELF | _UNMOUNT | _IGNORED))
            if name:
                path = os.path.join(path, os.fsdecode(name))
            events.extend(WatchEvent(path, kind) for bits, kind in _KINDS if mask & bits)
        return events

    def stop(self) -> None:
        # close(2) waits until no processor reads the watches any more, which took 12 ms on Linux 6.18; those that were
        # removed 5 ms before it does not wait for (fsnotify_wait_marks_destroyed in fs/notify/mark.c).  On a busy
        # machine it waits for as long as the thread of the kernel has to that removes them: so the kernel is to close.
        if self._descriptor >= 0 and _leave_to_kernel(self._descriptor):
            self._descriptor = -1
            self._paths.clear()
        for watch in self._paths:
            libc.inotify_rm_watch(self._descriptor, watch)
        self._paths.clear()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _leave_to_kernel(descriptor: int) -> bool:
    """Closes it so that the kernel does the work of that in a thread of its own; False where it is still open.

    A socket that is sent to itself can be received by nobody any more once it is closed, nor what was sent with it.
    Linux collects such garbage in a thread since 6.9, before that in the process that closed it (net/unix/garbage.c).
    """
    major, _, rest = os.uname().release.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    if not (major.isdecimal() and minor.isdecimal()) or (int(major), int(minor)) < _COLLECTS_ASIDE:
        return False
    try:
        sends, lost = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError:
        return False
    with sends, lost:  # the one that is sent is closed before the other one, which has the kernel look for garbage
        try:
            sent = struct.pack("ii", lost.fileno(), descriptor)
            sends.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, sent)])
        except OSError:
            return False
        os.close(descriptor)
    return True
