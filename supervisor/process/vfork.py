"""The fast way to start a program, on Linux with glibc: a child that borrows our memory until it executes.

A fork of a Python process costs milliseconds, nearly all of it for page tables and copied pages; sharing the memory
costs a tenth of one (2.9 ms against 0.12 ms, measured), but then no line of Python may run in the child.  What it has
to do is a fixed list of C calls without a branch, so the list is laid out as contexts (makecontext(3)) of which each,
when its function returns, continues with the next; clone(2) with CLONE_VM and CLONE_VFORK starts the child at the
first, and we stand still until the child executes or exits.

Whatever can fail is tried before (the working directory is a descriptor), except execve: then the calls behind it leave
a mark in the memory we share and exit, and errno is what execve made of it, because the child shares that too.

Its own pid, which some variables have to hold, is what the link /proc/self says, proc(5): readlink(2) writes it as a
text to the place in the environment that was left for it.

The child gets a copy of all our descriptors; where there are many, of the first of them alone, see `low`.  Then it has
our own table to begin with, in which it must change nothing, and leaves that by its first call.  Should the kernel have
no memory for that, the calls behind it do to our standard streams what they were to do to those of the child.  errno
tells, and these are put back; the program gets a table of its own from execve all the same.

What is missing is a look at getppid after the call of prctl: should we be killed in the 20 microseconds before it, the
kernel does not end the child with us.  The guardian does.
"""

import _signal  # type: ignore[import-not-found]  # signal.getsignal makes an enum of each answer
import ctypes
import functools
import mmap
import os
import resource
import signal
import struct
import sys
from collections.abc import Sequence

from supervisor import system
from supervisor.annotations import Any
from supervisor.process import low
from supervisor.process.image import LAST_SIGNAL, PID_SIZE, SIGNAL_SET_SIZE, Calls, Image, SignalMask, libc

_CLONE_VM, _CLONE_FILES, _CLONE_VFORK = 0x100, 0x400, 0x4000  # clone(2)
_CLOSE_RANGE = 436  # close_range(2), on every architecture
_UNSHARE = 2  # CLOSE_RANGE_UNSHARE, Linux 5.9: it copies the table without the range that it would close there
_FEW = 128  # descriptors that are copied as fast as others are put where they are low
_PR_SET_PDEATHSIG = 1  # prctl(2)
_MARK = 1
# sizeof(ucontext_t), rounded up, and where its uc_sigmask is; uc_flags, uc_link and uc_stack come first on both.
_CONTEXTS = {"x86_64": (1024, 296), "aarch64": (5120, 40)}
_CONTEXT_HEAD = struct.Struct("@PPiN")  # uc_link, uc_stack: ss_sp, ss_flags, ss_size
_LINK_OFFSET = 8
_STACK_SIZE = 2048  # bytes for a call that does nothing but a system call; no signal is handled on it
_STACK_USED = 256  # of these, at the end: what makecontext puts there for a call with few arguments
_MOST_CALLS = 96
_ABOUT_DESCRIPTORS = {"close", "dup2", "fchdir", "sendmsg"}  # calls that have one as their first argument
_Laid = tuple[tuple[str, tuple[int, ...]] | None, bytes, bytes]  # a call, its context, and the end of its stack
_NOTHING: _Laid = None, b"", b""


@functools.cache
def works() -> bool:
    """Whether this system can do it; tried out once with a child that leaves a mark and exits."""
    if not system.TIES_PROCESSES or os.uname().machine not in _CONTEXTS or struct.calcsize("P") != 8:
        return False
    try:
        stage = _stage()
        if not stage.knows_masks():
            return False
        pid, _ = stage.play((("memset", (stage.mark, _MARK, 1)), ("_exit", (42,))), ())
    except (AttributeError, OSError):  # a C library without contexts, such as musl
        return False
    status = os.waitpid(pid, 0)[1]
    return stage.is_marked() and os.waitstatus_to_exitcode(status) == 42


@functools.cache
def can_leave() -> bool:
    """Whether a child can leave a table of descriptors that it has together with us; tried out once."""
    try:
        return _rehearse((_leaving(_FEW),), _CLONE_FILES) == 0
    except OSError:
        return False


def _leaving(lowest: int) -> tuple[str, tuple[int, ...]]:
    return "syscall", (_CLOSE_RANGE, lowest, 0xFFFFFFFF, _UNSHARE)


def start(image: Image) -> int:
    """The pid of the program, which runs already; raises OSError, and leaves nothing behind then."""
    if image.directory < _FEW or image.passed or not can_leave():  # the lowest that was free tells how many there are
        return _start(image, image.directory, image.stdio)
    with low.lent((image.directory, *image.stdio, 0, 1, 2)) as places:
        if not places:
            return _start(image, image.directory, image.stdio)
        return _start(image, places[0], places[1:4], places[4:])


def _start(image: Image, directory: int, stdio: Sequence[int], ours: Sequence[int] = ()) -> int:
    """`directory` and `stdio` are those of the image, and `ours` copies of our standard streams, if all are low."""
    stage = _stage()
    begin: list[tuple[str, tuple[int, ...]]] = [
        *image.first(),
        *([("setsid", ())] if image.leads_session else []),
        ("prctl", (_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)),
        ("fchdir", (directory,)),
        *(("dup2", (descriptor, number)) for number, descriptor in enumerate((*stdio, *image.passed))),
        *(("signal", (number, 0)) for number in _not_default()),
    ]
    if image.umask is not None:
        begin.append(("umask", (image.umask,)))
    if image.nofile is not None:
        begin.append(("setrlimit", (resource.RLIMIT_NOFILE, ctypes.addressof(image.nofile))))
    begin += [("setrlimit", (number, ctypes.addressof(pair))) for number, pair in image.limits]
    link = ctypes.create_string_buffer(b"/proc/self")
    begin += [("readlink", (ctypes.addressof(link), slot, PID_SIZE)) for slot in image.pid_slots]
    path = ctypes.create_string_buffer(image.path)
    execute = (ctypes.addressof(path), ctypes.addressof(image.argv), ctypes.addressof(image.environment))
    end: Calls = (("execve", execute), ("memset", (stage.mark, _MARK, 1)), ("_exit", (127,)))
    flags = 0
    if ours:
        needed = (arguments[0] for name, arguments in begin if name in _ABOUT_DESCRIPTORS)
        begin.insert(0, _leaving(1 + max((*needed, *stdio))))
        flags = _CLONE_FILES
        ctypes.set_errno(0)
    pid, code = stage.play(begin, end, flags)
    if code:
        for number, descriptor in enumerate(ours):
            os.dup2(descriptor, number)
    if stage.is_marked():
        os.waitpid(pid, 0)
        raise OSError(code, os.strerror(code))
    return pid


def rehearse(calls: Calls) -> int:
    """The errno that these calls end with in a child that does nothing else, 0 if none has failed."""
    return _rehearse(calls, 0)


def _rehearse(calls: Calls, flags: int) -> int:
    ctypes.set_errno(0)
    pid, code = _stage().play((*calls, ("_exit", (0,))), (), flags)
    os.waitpid(pid, 0)
    return code


def _not_default() -> list[int]:
    # Handlers too, although execve resets them: in the instant before it they would run in the memory we share.
    default = int(signal.SIG_DFL)
    getsignal = _signal.getsignal
    return [number for number in range(1, LAST_SIGNAL + 1) if getsignal(number) != default]


class _Stage:
    """The memory in which the contexts of a child are laid out, used again for the next one."""

    def __init__(self) -> None:
        library = libc()
        self._library: Any = library
        library.getcontext.argtypes = (ctypes.c_void_p,)
        library.makecontext.restype = None
        library.clone.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._setcontext = _address_of(library.setcontext)
        self._addresses: dict[str, int] = {}
        self._context_size, self._mask_offset = _CONTEXTS[os.uname().machine]
        self._memory = mmap.mmap(-1, _MOST_CALLS * (self._context_size + _STACK_SIZE) + 2 * mmap.PAGESIZE)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._stacks = _MOST_CALLS * self._context_size
        self._mark = _MOST_CALLS * (self._context_size + _STACK_SIZE)
        self.mark = self._start + self._mark
        self._first_stack = self._start + len(self._memory)
        self._laid: dict[int, _Laid] = {}  # what was made last at each position

    def knows_masks(self) -> bool:
        """Whether a context has its signal mask where we expect it."""
        before = SignalMask.every().apply()
        try:
            self._lay((("_exit", (0,)),), 0)
        finally:
            before.apply()
        mask = int.from_bytes(self._memory[self._mask_offset : self._mask_offset + 8], sys.byteorder)
        return all(mask >> number - 1 & 1 for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, LAST_SIGNAL))

    def is_marked(self) -> bool:
        """Whether the child left its mark."""
        return self._memory[self._mark] == _MARK

    def play(self, begin: Calls, end: Calls, more: int = 0) -> tuple[int, int]:
        """Have a child make the calls, all signals blocked in `begin`, none in `end`; its pid, and errno as it left it.

        The last call of `end` must not return.  `more` are flags of clone(2).
        """
        self._memory[self._mark] = 0
        before = SignalMask.every().apply()
        try:
            self._lay((*begin, *end), 0)  # a context brings back the signal mask under which it was made
            for position in range(len(begin), len(begin) + len(end)):
                # Not by making them under an empty mask: what we block ourselves would get through meanwhile.
                mask = position * self._context_size + self._mask_offset
                self._memory[mask : mask + SIGNAL_SET_SIZE] = bytes(SIGNAL_SET_SIZE)
            flags = _CLONE_VM | _CLONE_VFORK | signal.SIGCHLD | more
            pid = int(self._library.clone(self._setcontext, self._first_stack, flags, self._start))
            code = ctypes.get_errno()
        finally:
            before.apply()
        if pid < 0:
            raise OSError(code, os.strerror(code))
        return pid, code

    def _lay(self, calls: Calls, first: int) -> None:
        for position, call in enumerate(calls, first):
            offset, top = position * self._context_size, self._stacks + (position + 1) * _STACK_SIZE
            before, context, stack = self._laid.get(position, _NOTHING)
            if before == call:  # as most are for every program: a copy takes a tenth of the time
                self._memory[offset : offset + self._context_size] = context
                self._memory[top - _STACK_USED : top] = stack
                continue
            self._make(position, *call)
            made = self._memory[offset : offset + self._context_size], self._memory[top - _STACK_USED : top]
            self._laid[position] = call, *made

    def _make(self, position: int, name: str, arguments: tuple[int, ...]) -> None:
        offset = position * self._context_size
        context = self._start + offset
        stack = self._start + self._stacks + position * _STACK_SIZE
        self._library.getcontext(context)
        following = context + self._context_size
        _CONTEXT_HEAD.pack_into(self._memory, offset + _LINK_OFFSET, following, stack, 0, _STACK_SIZE)
        self._library.makecontext(
            ctypes.c_void_p(context),
            ctypes.c_void_p(self._address(name)),
            len(arguments),
            *map(ctypes.c_void_p, arguments),
        )

    def _address(self, name: str) -> int:
        address = self._addresses.get(name)
        if address is None:
            address = self._addresses[name] = _address_of(getattr(self._library, name))
        return address


@functools.cache
def _stage() -> _Stage:
    return _Stage()


def _address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
