"""What signals do to `portsup up` and `portsup exec`: one place for the guardian, the daemon and `exec`.

A signal whose default would end a process, and that means nothing here, is blocked rather than ignored: what is ignored
stays so across execve(2), and services begin with default dispositions and an empty mask.  A real fault, such as
SIGSEGV of a bad address, ends a process also where its signal is blocked (force_sig in kernel/signal.c).
docs/reference/signals.md says the same to people.
"""

import contextlib
import signal
from collections.abc import Collection, Iterator
from enum import StrEnum


class Wish(StrEnum):
    """What a signal asks the daemon for."""

    NOTHING = "nothing"
    RELOAD = "reload"
    STOP = "stop"
    STOP_AT_ONCE = "stop-at-once"
    KILL = "kill"


def _named(*names: str) -> tuple[signal.Signals, ...]:
    """Those that this system has."""
    return tuple(number for name in names if (number := getattr(signal, name, None)) is not None)


# SIGPWR is what container managers such as LXC send for a shutdown, SIGABRT what systemd sends when a watchdog expires,
# SIGXCPU what the kernel sends before it kills.
HANGUP = getattr(signal, "SIGHUP", None)
STOPPING = _named("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPWR", "SIGXCPU", "SIGABRT", "SIGBREAK")
INSISTENT = _named("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")  # once more is a demand to hurry
BY_HAND = _named("SIGINT", "SIGQUIT", "SIGBREAK")  # a key of the terminal
FAULTS = _named("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS")
OF_THE_TERMINAL = _named("SIGTSTP", "SIGTTIN", "SIGTTOU")  # job control, which the shell expects to work
# What does nothing by default, what Python ignores, and what nobody can change.
HARMLESS = _named("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGPIPE", "SIGXFSZ", "SIGKILL", "SIGSTOP")


def meaning(number: signal.Signals, before: int, *, is_orphaned: bool, is_at_work: bool) -> Wish:
    """What one of STOPPING asks for; `before` are those that came already.

    `is_orphaned`: the guardian was killed.  `is_at_work`: the stack is up in the background, and is not to stop yet.
    """
    if number is HANGUP and is_at_work and not is_orphaned:
        return Wish.RELOAD
    if before == 0 or is_orphaned:
        return Wish.STOP_AT_ONCE if is_orphaned else Wish.STOP
    if number in BY_HAND or (number in INSISTENT and before > 1):
        return Wish.KILL
    return Wish.NOTHING


def hold_back() -> None:
    """Has every signal do nothing, from now on and in forked processes, that would end us and means nothing here.

    One that has a handler, by a debugging tool that Python loads at its start for instance, is left to that.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows has none that would
        return
    others = {number for number in _others(STOPPING) if signal.getsignal(number) == signal.SIG_DFL}
    signal.pthread_sigmask(signal.SIG_BLOCK, others)


def let_through(numbers: Collection[signal.Signals]) -> None:
    """Lets these signals reach their handlers again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, set(numbers))


@contextlib.contextmanager
def none_between(numbers: Collection[int]) -> Iterator[None]:
    """What comes before the block, Python has heard by then; what comes within it comes after it.

    Python hears a signal a moment after it came, and complains on standard error if its handler is gone by then.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_system(numbers: Collection[int]) -> None:
    """Has these signals do what the system does by default."""
    with none_between(numbers):
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def passed_on_by_exec() -> tuple[signal.Signals, ...]:
    """What `exec` gives to its program, which would get it if nobody stood in between."""
    return (*_named("SIGWINCH"), *STOPPING, *_others((*STOPPING, *FAULTS)))


def _others(known: Collection[signal.Signals]) -> Iterator[signal.Signals]:
    passed_over = {*known, *OF_THE_TERMINAL, *HARMLESS}
    return (number for number in signal.valid_signals() if number not in passed_over)
