"""The C library, for what Python has no call for.  Imported late: ctypes is heavy."""

import ctypes
import os
from collections.abc import Collection

_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else ctypes.CDLL("msvcrt")


def inotify_init1(flags: int) -> int:
    """inotify_init1(2); raises OSError."""
    return _checked(_libc.inotify_init1(flags), "inotify")


def inotify_add_watch(descriptor: int, path: str, mask: int) -> int:
    """inotify_add_watch(2): the number of the watch; raises OSError."""
    return _checked(_libc.inotify_add_watch(descriptor, os.fsencode(path), ctypes.c_uint32(mask)), path)


def inotify_rm_watch(descriptor: int, watch: int) -> None:
    """inotify_rm_watch(2); one that is gone already is no error."""
    _libc.inotify_rm_watch(descriptor, watch)


def kind_of_file_system(path: str) -> int:
    """statfs(2), f_type; raises OSError."""
    found = ctypes.create_string_buffer(512)  # struct statfs, with room to spare
    _checked(_libc.statfs(os.fsencode(path), found), path)
    return ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF


def syscall(number: int, *arguments: int) -> int:
    """Any system call by its number, syscall(2); raises OSError."""
    return _checked(_libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)), f"system call {number}")


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return int(result)


def count_of_filter(descriptor: int, most: int) -> int:
    """How many instructions the filter of a socket has, SO_GET_FILTER of socket(7); raises OSError if over `most`."""
    code, count = ctypes.create_string_buffer(most * 8), ctypes.c_uint32(most)  # struct sock_filter, linux/filter.h
    _checked(_libc.getsockopt(descriptor, 1, 26, code, ctypes.byref(count)), "getsockopt")  # asm-generic/socket.h
    return count.value


def signalfd(numbers: Collection[int], flags: int) -> int:
    """signalfd(2) for these signals: the descriptor; raises OSError."""
    mask = ctypes.create_string_buffer(128)  # sigset_t
    _libc.sigemptyset(mask)
    for number in numbers:
        _libc.sigaddset(mask, int(number))
    return _checked(_libc.signalfd(-1, mask, flags), "signalfd")
