"""What a program is started with, in the form that C wants it, so that the child itself has nothing left to convert."""

import contextlib
import ctypes
import functools
import os
import resource
import signal
from array import array
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, islice

from supervisor.annotations import Any
from supervisor.dataclass import dataclass
from supervisor.process.last_answer import kept_for_the_last
from supervisor.words import programs

# The calls of one child, each with its arguments.
Calls = Sequence[tuple[str, tuple[int, ...]]]

_NONE: Mapping[str, str] = {}
PID_SIZE = 10  # digits of the largest int
_CALLS = (
    "_exit", "close", "dup2", "execve", "fchdir", "fork", "getpid", "getppid", "pthread_sigmask", "setgid",
    "setgroups", "setrlimit", "setsid", "setuid", "sigemptyset", "sigfillset", "signal", "umask",
)  # fmt: skip
SIGNAL_SET_SIZE = 128  # bytes of a sigset_t, at most
LAST_SIGNAL = 64


class Image:
    """The program, its arguments and environment, and the state of the process that it begins with.

    `stdio` are the descriptors that become 0, 1 and 2, and `passed` those that become 3, 4 and so on; all have numbers
    above those that are given out.  `directory` is that of the working directory, `leads_session` whether the process
    begins a session of its own.  `pid_slots` are the addresses of variables in the environment where the child has to
    write its own pid, as a text of at most PID_SIZE bytes.
    `first` tells what the child calls before anything else; it is asked right before the child is made.
    """

    def __init__(
        self, path: str, argv: Sequence[str], environment: Mapping[str, str], umask: int | None, nofile: int | None,
        pid_variables: Sequence[str] = (),
    ) -> None:  # fmt: skip
        words = [c_string(word, programs.argument(number)) for number, word in enumerate(argv)]
        own, of_many = _layers(environment)
        pairs = _variables(own)
        self._of_many: Any  # has to stay
        addresses, size, self._of_many = _encoded(of_many) if of_many else ((), 0, None)
        self.path = c_string(path, programs.PATH)
        self.argv, self._words = _vector(words)
        self._pids = [ctypes.create_string_buffer(_variable(name, "") + bytes(PID_SIZE + 1)) for name in pid_variables]
        self.environment, self._pairs = _vector(pairs, (*map(ctypes.addressof, self._pids), *addresses))
        self.pid_slots = [ctypes.addressof(buffer) + len(buffer.value) for buffer in self._pids]
        self.size = sum(map(len, words)) + sum(map(len, pairs)) + size
        self.umask = umask
        self.nofile: Any = None
        if nofile is not None:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            self.nofile = (ctypes.c_ulong * 2)(nofile, hard if hard >= 0 else ctypes.c_ulong(-1).value)
        self.stdio: Sequence[int] = ()
        self.passed: Sequence[int] = ()
        self.directory = -1
        self.leads_session = True
        self.limits: list[tuple[int, Any]] = []
        self.room: list[tuple[int, Any]] = []  # limits that have to be raised before it is another user
        self.uid: int | None = None
        self.gid: int | None = None
        self.groups: Any = None
        self.first: Callable[[], Calls] = tuple

    def limit(self, number: int, soft: int, hard: int) -> None:
        """Give it this limit; one of open files takes the place of `nofile`."""
        if number == resource.RLIMIT_NOFILE:
            self.nofile = None
        self.limits.append((number, (ctypes.c_ulong * 2)(soft, hard)))
        ours = resource.getrlimit(number)
        if ctypes.c_ulong(hard).value > ctypes.c_ulong(ours[1]).value:
            self.room.append((number, (ctypes.c_ulong * 2)(ours[0], hard)))

    def run_as(self, uid: int | None, gid: int, groups: Sequence[int]) -> None:
        """Give it another user and groups; only `fork` knows how to."""
        self.uid, self.gid, self.groups = uid, gid, (ctypes.c_uint * len(groups))(*groups)


def c_string(text: str, what: str) -> bytes:
    """`text` in bytes; raises SpawnError where C could not take it."""
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        raise programs.not_encoded(what) from None
    if 0 in encoded:
        raise programs.has_nul(what)
    return encoded


def _vector(texts: Sequence[bytes], more: Iterable[int] = ()) -> tuple[Any, Any]:
    """An array of the addresses of these texts, then `more`, then NULL; and what the texts are in, which has to stay.

    In one block: an array of a thousand `c_char_p` would note of each that it has to stay.
    """
    places, block = _placed(texts)
    addresses = array("L", [*places, *more, 0])
    return (ctypes.c_void_p * len(addresses)).from_buffer(addresses), block


def _placed(texts: Sequence[bytes]) -> tuple[Iterable[int], Any]:
    block = ctypes.create_string_buffer(b"\0".join(texts))
    places = accumulate(map((1).__add__, map(len, texts)), initial=ctypes.addressof(block))
    return islice(places, len(texts)), block


def _layers(environment: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The variables of this program alone, and those that many get, which do not change and none of which it has."""
    if isinstance(environment, ChainMap) and len(environment.maps) == 2:
        own, of_many = environment.maps
        if own.keys().isdisjoint(of_many):
            return own, of_many
    return environment, _NONE


@kept_for_the_last
def _encoded(variables: Mapping[str, str]) -> tuple[Sequence[int], int, Any]:
    """The addresses of these variables, their size, and what they are in, which has to stay."""
    pairs = _variables(variables)
    places, block = _placed(pairs)
    return tuple(places), sum(map(len, pairs)), block


def _variables(environment: Mapping[str, str]) -> list[bytes]:
    # All at once: a service of a large stack has a thousand variables.  If that goes wrong, which one it was is found.
    if environment:
        with contextlib.suppress(UnicodeEncodeError):
            pairs = os.fsencode("\0".join(map("=".join, environment.items()))).split(b"\0")
            if (
                len(pairs) == len(environment)
                and "=" not in "".join(environment)
                and "" not in environment
            ):
                return pairs
    return [_variable(name, value) for name, value in environment.items()]


def _variable(name: str, value: str) -> bytes:
    if not name or "=" in name:
        raise programs.bad_name(name)
    return c_string(f"{name}={value}", programs.variable(name))


@functools.cache
def libc() -> Any:
    """The C library, called with the GIL held, as no other thread may run between fork and exec."""
    library = ctypes.PyDLL(None, use_errno=True)
    for name in _CALLS:
        getattr(library, name)  # looked up now: each look-up in a forked child would copy pages
    library.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    library.signal.restype = ctypes.c_void_p
    library.execve.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)
    return library


@dataclass(frozen=True, slots=True)
class SignalMask:
    """Which signals are blocked."""

    value: Any

    @classmethod
    def every(cls) -> "SignalMask":
        """All of them."""
        mask = ctypes.create_string_buffer(SIGNAL_SET_SIZE)
        libc().sigfillset(mask)
        return cls(mask)

    @classmethod
    def none(cls) -> "SignalMask":
        """None of them."""
        mask = ctypes.create_string_buffer(SIGNAL_SET_SIZE)
        libc().sigemptyset(mask)
        return cls(mask)

    def apply(self) -> "SignalMask":
        """Block exactly these; gives what was blocked before."""
        before = ctypes.create_string_buffer(SIGNAL_SET_SIZE)
        libc().pthread_sigmask(int(signal.SIG_SETMASK), self.value, before)
        return SignalMask(before)
