"""portsup killed at a moment of its life: what survives it, what stays locked, and how the next `up` gets on."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from supervisor.system import children_of
from tests.live.stack import Live, is_alive, is_locked, parent_of
from tests.support.fault import make_fault
from tests.support.processes import processes_with

MARK = "LIFE_OF_PORTSUP"  # an environment variable that every process of one life inherits
PATIENCE = 60.0  # seconds until nothing is waited for any more
ENDING = 0.5  # seconds that the kernel gets to close the files of a process that is gone


class Victim(StrEnum):
    """Who is killed."""

    DAEMON = "daemon"
    GUARDIAN = "guardian"
    BOTH = "both"


class Phase(StrEnum):
    """When: while the stack starts, while one of its services restarts, or while it stops."""

    START = "start"
    RUN = "run"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Death:
    """`moment` is from 0 to 1: the part of the phase that is over."""

    victim: Victim
    phase: Phase
    moment: float
    by: signal.Signals = signal.SIGKILL
    is_detached: bool = False
    hands_over: bool = True

    def command(self) -> list[str]:
        """The `portsup` command that begins this life."""
        return ["up", *(["-d"] if self.is_detached else []), *([] if self.hands_over else ["--handoff", "off"])]

    def __str__(self) -> str:
        return f"{self.by.name} of {self.victim} at {self.moment:.3f} of {self.phase}, `{' '.join(self.command())}`"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`gone_after` is in seconds, None when processes were left to the next `up`; `wrong` is empty if all is well.

    `late` are those that were left after a second.
    """

    was_late: bool  # the victim had ended by itself
    gone_after: float | None
    late: tuple[str, ...]
    wrong: tuple[str, ...]


class Mortal:
    """A stack that is started, killed and started again, always in the same folders and on the same pools."""

    def __init__(self, stack: Live, first_ports: dict[str, int]) -> None:
        self._stack = stack
        self._first_ports = first_ports
        self._lengths = dict.fromkeys(Phase, 0.0)  # in seconds

    def learn(self) -> None:
        """Lives once undisturbed, for the length of the phases."""
        with self._living(["up"]) as life:
            life.is_up()
            self._lengths[Phase.START] = time.monotonic() - life.begun
            self._lengths[Phase.RUN] = 0.02  # a restart takes milliseconds
            stopped = time.monotonic()
            life.process.terminate()
            life.process.wait(PATIENCE)
            self._lengths[Phase.STOP] = time.monotonic() - stopped

    def die(self, death: Death) -> Outcome:
        """One life that ends with this death, and the next `up`."""
        with self._living(death.command()) as life:
            pids = self._come_to(death, life)
            was_late = not all(map(is_alive, pids))
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    if death.by == signal.SIGSEGV:  # one that is only sent does nothing
                        make_fault(pid)
                    else:
                        os.kill(pid, death.by)
            killed = time.monotonic()
            gone_after = None
            # When both are killed nobody is left to end what has left its session: that is for the next `up`.
            patience = 0.3 if death.victim is Victim.BOTH else PATIENCE
            late: tuple[str, ...] = ()
            while (left := life.processes()) and time.monotonic() - killed < patience:
                if not late and time.monotonic() - killed > 1.0:
                    late = tuple(f"{pid} {command} ({state_of(pid)})" for pid, command in left.items())
                time.sleep(0.002)
            if not left:
                gone_after = time.monotonic() - killed
            life.wait_for_end_of(pids)
            wrong = [f"`{path.name}` is locked" for path in self._locked_in_the_end()]
            if left and death.victim is not Victim.BOTH:
                wrong.append(f"left after {patience:g} s: {left}")
            wrong += self._next_up(life)
            return Outcome(was_late, gone_after, late, tuple(wrong))

    def _locked_in_the_end(self) -> list[Path]:
        """The locks that somebody still has.

        A process that ends gives up its memory, and so its environment, before its files (do_exit in kernel/exit.c):
        when we see it no more, its locks may be there for an instant.
        """
        deadline = time.monotonic() + ENDING
        while True:
            locked = [path for path in self._stack.runtime.rglob("*.lock") if is_locked(path)]
            if not locked or time.monotonic() > deadline:
                return locked
            time.sleep(0.002)

    def _come_to(self, death: Death, life: "_Life") -> list[int]:
        """The pids to kill, at the moment that is wanted."""
        if death.phase is Phase.START:
            guardian = life.guardian()
            daemon = 0 if death.victim is Victim.GUARDIAN else life.child_of(guardian)
        else:
            life.is_up()
            daemon = self._stack.daemon()
            guardian = parent_of(daemon)
        if death.phase is Phase.RUN:
            service = next(iter(self._first_ports))
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._stack.rows()[service]["pid"], signal.SIGKILL)
        elif death.phase is Phase.STOP:
            os.kill(guardian, signal.SIGTERM)
        time.sleep(death.moment * self._lengths[death.phase])
        # Of both the daemon first, so that the guardian has something to do.
        return {Victim.DAEMON: [daemon], Victim.GUARDIAN: [guardian], Victim.BOTH: [daemon, guardian]}[death.victim]

    def _next_up(self, life: "_Life") -> list[str]:
        """What is wrong with it."""
        started = self._stack.run("up", "-d")
        try:
            if started.returncode:
                return [f"the next `up` ended with {started.returncode}: {started.stderr}"]
            wrong = [f"left after the next `up`: {left}"] if (left := life.processes()) else []
            rows = self._stack.rows()
            ports = {name: rows[name]["port"] for name in self._first_ports if name in rows}
            if ports != self._first_ports or {row["instance"] for row in rows.values()} != {1}:
                wrong.append(f"the next `up` came up on {ports} instead of {self._first_ports}: {started.stderr}")
            return wrong
        finally:
            self._stack.end()

    @contextlib.contextmanager
    def _living(self, command: list[str]) -> Iterator["_Life"]:
        mark = uuid.uuid4().hex
        self._stack.env[MARK] = mark
        errors = self._stack.folder / "up.err"
        begun = time.monotonic()
        with errors.open("wb") as stderr:
            process = self._stack.popen(*command, stdout=subprocess.DEVNULL, stderr=stderr)
        life = _Life(process, mark, begun, errors, "-d" in command)
        del self._stack.env[MARK]
        try:
            yield life
        finally:
            while left := life.processes():
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            process.wait(PATIENCE)


@dataclass(frozen=True, slots=True)
class _Life:
    process: subprocess.Popen[str]
    mark: str
    begun: float
    errors: Path
    is_detached: bool

    def is_up(self) -> None:
        self._until(lambda: "is up" in self.errors.read_text(), "the start")

    def guardian(self) -> int:
        """As soon as it is there."""
        return self.child_of(self.process.pid) if self.is_detached else self.process.pid

    def processes(self) -> dict[int, str]:
        """Every living process of this life, with its command."""
        return processes_with(f"{MARK}={self.mark}")

    def wait_for_end_of(self, pids: list[int]) -> None:
        """For a busy machine: a process that was killed keeps its locks until it is torn down."""
        self._until(lambda: not any(map(is_alive, pids)), f"end of {pids}")

    def child_of(self, pid: int) -> int:
        return self._until(lambda: (children_of(pid) or [0])[0], f"a child of {pid}")

    def _until(self, check: Callable[[], int], what: str) -> int:
        deadline = time.monotonic() + PATIENCE
        while not (value := check()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} within {PATIENCE:g} s: {self.errors.read_text()}")
            time.sleep(0.002)
        return value


def state_of(pid: int) -> str:
    """One letter of proc(5), and what it waits for in the kernel."""
    try:
        letter = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return f"{letter} {Path(f'/proc/{pid}/wchan').read_text()}"
    except OSError:
        return "gone"
