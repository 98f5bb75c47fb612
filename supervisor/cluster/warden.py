"""The process that ends the `portsup up` of a keeper in time; its arguments: LOCK PID… -- COMMAND….

It leaves the keeper's process group and children, so that nothing which ends the keeper ends it.  On stdin the keeper
says until when the service may run, as two moments of our clock: when to begin to stop, and when to kill.  It begins
at once when stdin ends or one of the processes PID ends, which are the keeper's worker and the raylet of its node.  As
long as anything of the service may run it holds the lock on LOCK; what is in that file says that it must not begin.
What the command says on stderr goes there; stdout ends with us, and has the exit code then.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

from supervisor import system
from supervisor.cluster.clock import now
from supervisor.ports.lockfile import FileLock

KILL_WITHIN = 1.0  # seconds for `portsup up` to kill what is left, before we do
_PAUSE = 0.02
REVOKED, BUSY = 75, 76  # exit codes of our own: it did not run


def main(arguments: list[str]) -> int:
    """Runs the command; its exit code, or why it was not run."""
    split = arguments.index("--")
    lock, *pids = arguments[:split]
    if os.fork():
        os._exit(0)
    os.setsid()
    system.set_child_subreaper()
    code = _guarded(lock, arguments[split + 1 :], [int(pid) for pid in pids])
    print(code, flush=True)
    return code


def _guarded(lock: str, command: list[str], pids: list[int]) -> int:
    held = FileLock(lock)
    if not held.acquire():
        return BUSY
    with open(lock, "rb") as file:
        if file.read(1):  # whoever asked was told that nothing runs
            return REVOKED
    return Warden(command, pids).run()


class Warden:
    """Watches the keeper, the raylet and the clock while the command runs."""

    def __init__(self, command: list[str], pids: list[int]) -> None:
        self._command = command
        self._watched = [descriptor for pid in pids if (descriptor := _pidfd(pid)) >= 0]
        self._lacks = len(self._watched) < len(pids)
        self._stop_at = self._kill_at = 0.0
        self._pending = b""

    def run(self) -> int:
        """From the start of the command until nothing of it is left; its exit code."""
        if self._lacks or not self._hear_first():
            return REVOKED
        child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=_end_with_us
        )
        ended = _pidfd(child.pid)
        poll = select.poll()
        for descriptor in (0, ended, *self._watched):
            poll.register(descriptor, select.POLLIN)
        while child.poll() is None:
            ready = {descriptor for descriptor, _ in poll.poll(max(0.0, self._stop_at - now()) * 1000)}
            if ready & {*self._watched} or (0 in ready and not self._hear()) or now() >= self._stop_at:
                break
        self._end(child)
        code = child.wait()
        _end_all()
        return code if code >= 0 else 128 - code

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        """Stop, and kill in time: by the second signal, then by SIGKILL."""
        limit = max(self._kill_at, now())
        for number, until in ((signal.SIGTERM, limit), (signal.SIGINT, limit + KILL_WITHIN)):
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)
            while child.poll() is None and now() < until:
                time.sleep(_PAUSE)
        if child.poll() is None:
            child.kill()

    def _hear_first(self) -> bool:
        while self._kill_at == 0.0:
            if not self._hear():
                return False
        return True

    def _hear(self) -> bool:
        """Takes what the keeper says; False when it says nothing any more."""
        data = os.read(0, 4096)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            stop, kill = line.split()
            self._stop_at, self._kill_at = float(stop), float(kill)
        return bool(data)


def _end_with_us() -> None:
    system.set_parent_death_signal(signal.SIGTERM)


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _end_all() -> None:
    """SIGKILL for whatever came from here, until nothing is left."""
    while children := system.descendants_of(os.getpid()):
        for pid in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(_PAUSE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
