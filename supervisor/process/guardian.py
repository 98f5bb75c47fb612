"""The small process in front of the daemon: it shows what the daemon says, and cleans up when the daemon dies.

It forks before anything heavy is imported, sleeps in poll(2), and owns the terminal: a terminal that is stopped blocks
this process and never the daemon.  On Linux it is a child subreaper, prctl(2): whatever the daemon leaves behind when
it is killed lands here, and is killed and reaped; on other systems that is found by what it carries in its environment.
"""

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Callable, Iterable

from supervisor import system
from supervisor.errors import ExitCode, refusal, shell_code
from supervisor.process import lifeline
from supervisor.process.pulse import HangDetector
from supervisor.process.readers import Readers
from supervisor.process.shared import is_shared
from supervisor.process.signals import OF_THE_TERMINAL, STOPPING, leave_to_system
from supervisor.words import instances as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Protocol

    from supervisor.process.relay import Relay

    class Screen(Protocol):
        """Lines that change in place, fed by a pipe from the daemon; its methods give the bytes to write."""

        source: int
        target: int

        def news(self, data: bytes, /) -> bytes: ...
        def around(self, target: int, data: bytes, /) -> bytes: ...


BEGINNING = frozenset(STOPPING) - {signal.SIGABRT}  # what may end a daemon that has begun nothing yet
READ_SIZE = 65536
ORPHANS_WITHIN = 5.0  # seconds until killed orphans must be gone
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def start_daemon(main: Callable[[], int], streams: Iterable[tuple[int, int]], ours: Iterable[int]) -> int:
    """Forks the daemon, which runs `main` in a session of its own; gives its pid.

    `streams` are pairs of a descriptor here and the one that the daemon has it as; `ours` stay here, so that the
    daemon sees when nobody reads what it says.
    """
    passed_on = set(STOPPING)
    line = None if system.TIES_PROCESSES else lifeline.make()
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # nohup(1): the end of the terminal is not to matter
        passed_on.discard(signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    guardian = os.getpid()
    system.prepare_spawning()
    pid = fork()
    if pid == 0:
        if line is not None:
            lifeline.hold(line[1], guardian)
            ours = (*ours, line[0])
        _become_daemon(main, streams, ours, guardian)
    if line is not None:
        os.close(line[1])  # ours is open as long as we live
    for number in passed_on:
        signal.signal(number, lambda number, _: _pass_on(pid, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
    return pid


def fork() -> int:
    """fork(2); raises PortsupError where the system allows no more processes."""
    try:
        return os.fork()
    except OSError as error:
        too_many = error.errno == errno.EAGAIN
        raise words.no_process((error.strerror or "").lower(), too_many=too_many) from error


def _become_daemon(
    main: Callable[[], int], streams: Iterable[tuple[int, int]], ours: Iterable[int], guardian: int
) -> "NoReturn":
    code = 70
    try:
        os.setsid()
        system.set_parent_death_signal(signal.SIGTERM)
        if os.getppid() != guardian:
            os._exit(1)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(null, 0)
        for source, target in streams:
            if source != target:
                os.dup2(source, target)
                os.close(source)
        for fd in ours:
            os.close(fd)
        for number in STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, set(OF_THE_TERMINAL))  # it has none
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(STOPPING))
        code = main()
    except OSError as error:  # `main` lets none out
        code = int(ExitCode.FAILURE)
        _tell(f"error: {refusal(error, words.NOT_STARTED) or error}\n")
    finally:
        os._exit(code)


def _pass_on(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)  # somebody may have stopped it


def guard(
    daemon: int, pumps: dict[int, int], watch: HangDetector | None = None, screen: "Screen | None" = None,
    relay: "Relay | None" = None, readers: Readers | None = None, clean_up: Callable[[int], int] | None = None,
) -> int:  # fmt: skip
    """Shows what the daemon says until it ends, then its exit code; `pumps` are pipes and where they are shown.

    Whatever it leaves behind is killed, by `clean_up` where it is not left to us; that gives how many there were.
    `watch` may have killed the daemon because it was silent.
    """
    before: list[int] = []
    signal.signal(signal.SIGCHLD, lambda *_: before.append(_on_child(daemon, clean_up)))
    pump(daemon, pumps, readers=readers, screen=screen, relay=relay)
    leave_to_system((signal.SIGCHLD,))
    _, status = os.waitpid(daemon, 0)
    left = (clean_up or end_orphans)(daemon) + sum(before)
    code = os.waitstatus_to_exitcode(status)
    if watch is not None:
        watch.close()
        if watch.has_killed and code == -signal.SIGKILL:
            _tell(f"error: {words.hung(daemon, watch.pulse.patience)}\n\nhint: {words.HUNG}\n")
            return int(ExitCode.HUNG)
    if -code in BEGINNING and not left:  # it came before anything was begun
        return shell_code(code)
    if code < 0:
        _tell(f"error: {words.ended_by(daemon, -code, left)}\n")
        return shell_code(code)
    return code


def _on_child(daemon: int, clean_up: Callable[[int], int] | None) -> int:
    """Ends what a dead daemon left, also while we stand still because nobody reads what we show.

    How many there were that nobody has to reap.
    """
    waitid = getattr(os, "waitid", None)  # Python has it on macOS since 3.13
    if waitid is None or waitid(os.P_PID, daemon, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        return 0
    leave_to_system(STOPPING)  # a reader that does not read must not make us immortal
    if clean_up is not None:
        return clean_up(daemon)
    for pid in system.children_of(os.getpid()):
        if pid != daemon and not is_shared(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    return 0


def pump(
    daemon: int, pumps: dict[int, int], *, readers: Readers | None = None, screen: "Screen | None" = None,
    relay: "Relay | None" = None,
) -> None:  # fmt: skip
    """Shows what comes out of the pipes until the daemon has closed them all.

    With `readers` the daemon has to stop when these have left, as with `portsup up | head`; that is said to it once,
    because a closed terminal means two pipes, and telling again and again is a demand to kill.  `screen` has lines that
    change in place below all that is shown; they are gone at the end.  `relay` is what it says to whoever is above.
    """
    poll = select.poll()
    for source, target in pumps.items():
        poll.register(source, select.POLLIN)
        poll.register(target, 0)  # tells when its reader goes, even if there is nothing to show
    if screen is not None:
        poll.register(screen.source, select.POLLIN)
    if relay is not None:
        poll.register(relay.source, select.POLLIN)
    left = dict(pumps)
    while left:
        for ready, _ in poll.poll():
            if screen is not None and ready == screen.source:
                data = os.read(ready, READ_SIZE)
                _show(screen.target, screen.news(data))
                if not data:
                    poll.unregister(ready)
                continue
            if relay is not None and ready == relay.source:
                if not relay.forward():
                    poll.unregister(ready)
                continue
            if ready not in left:
                gone = ready
            elif data := os.read(ready, READ_SIZE):
                if screen is not None:
                    data = screen.around(left[ready], data)
                gone = -1 if left[ready] < 0 or _show(left[ready], data) else left[ready]
            else:
                poll.unregister(ready)
                os.close(ready)
                del left[ready]
                continue
            if gone < 0:
                continue
            with contextlib.suppress(KeyError):  # both of its pipes met it in one round
                poll.unregister(gone)
            left = {source: -1 if target == gone else target for source, target in left.items()}
            if readers is not None and not readers.have_left:
                readers.leave()
                _pass_on(daemon, signal.SIGTERM)
    if relay is not None:
        relay.forward()
    if screen is not None:
        _show(screen.target, screen.news(b""))
        os.close(screen.source)


def _show(target: int, data: bytes) -> bool:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(target, view) :]
        except BlockingIOError:  # somebody made our terminal non-blocking
            select.select([], [target], [])
        except OSError as error:
            return error.errno in FULL  # the logs have it; services do not end because a disk is full
    return True


def _tell(words: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, words.encode())


def end_orphans(daemon: int) -> int:
    """Kills and reaps all processes that were left to us; how many there were.

    Those in the process group of the daemon do not count: they are forks of it that read something for it.
    """
    waitid = getattr(os, "waitid", None)
    try:
        if waitid is not None:
            waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # nobody is left, as a rule: it takes ten times as long to find that out in /proc
        return 0
    seen: set[int] = set()
    deadline = time.monotonic() + ORPHANS_WITHIN
    while time.monotonic() < deadline:
        orphans = [pid for pid in system.children_of(os.getpid()) if not is_shared(pid)]
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != daemon:
                    seen.add(pid)
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        if not orphans:
            break
        time.sleep(0.005)
    return len(seen)
