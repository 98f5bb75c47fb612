"""Processes for tests, started the way the daemon starts them and ended with everything they started."""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from supervisor.process.output import Capture, Stream
from supervisor.process.spawn import Command, spawn
from supervisor.process.tree import Tree, members
from supervisor.system import set_child_subreaper
from supervisor.system.pipes import open_pipe

PROGRAMS = Path(__file__).parents[1] / "programs"
RUN_ID = f"test-{os.getpid()}"


class Child:
    """A running program; `text` is all it has printed on stdout and stderr."""

    def __init__(self, pid: int, service: str, captures: list[Capture]) -> None:
        self.pid = pid
        self.service = service
        self.captures = captures
        self.text = ""
        self.status: int | None = None

    def read(self, within: float = 10.0, until: str | None = None) -> str:
        """What it prints, until that text shows up, or both pipes are closed."""
        deadline = time.monotonic() + within
        open_captures = list(self.captures)
        while open_captures and (until is None or until not in self.text):
            left = deadline - time.monotonic()
            assert left > 0, f"no {until or 'end'} within {within} s: {self.text!r}"
            for capture in select.select(open_captures, [], [], left)[0]:
                lines = capture.read()
                if lines is None:
                    open_captures.remove(capture)
                self.text += bytes(lines or b"").decode()
        return self.text

    def wait(self, within: float = 10.0) -> int:
        """Its exit code, negative for a signal."""
        deadline = time.monotonic() + within
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"{self.pid} did not end within {within} s"
            time.sleep(0.002)
        return self.status

    def members(self) -> set[int]:
        """The living processes of its tree."""
        return members(self.tree())

    def tree(self, *others: int) -> Tree:
        """By what its processes are known."""
        return Tree(self.pid, RUN_ID, self.service, os.getpid(), others)


class Children:
    """Starts programs of tests/programs and other commands."""

    def __init__(self) -> None:
        self.started: list[Child] = []

    def command(self, *argv: str, environment: dict[str, str] | None = None, **options: object) -> Command:
        """A command whose pipes nobody reads."""
        variables = {name: os.environ[name] for name in os.environ if name.startswith("PORTSUP_")}
        variables |= {"PATH": os.environ["PATH"], "PORTSUP_RUN_ID": RUN_ID, "PORTSUP_SERVICE": argv[0]}
        fields = {"working_dir": "/", "stdout": 2, "stderr": 2} | options
        return Command(argv, variables | (environment or {}), **fields)  # type: ignore[arg-type]

    def run(self, *argv: str, environment: dict[str, str] | None = None, **options: object) -> Child:
        """Start any command; its first word is its service."""
        with contextlib.ExitStack() as theirs:
            captures, ends = [], []
            for stream in (Stream.STDOUT, Stream.STDERR):
                ours, end = open_pipe()
                captures.append(Capture(ours, stream))
                ends.append(end)
                theirs.callback(os.close, end)
            options |= {"stdout": ends[0], "stderr": ends[1]}
            pid = spawn(self.command(*argv, environment=environment, **options))
        child = Child(pid, argv[0], captures)
        self.started.append(child)
        return child

    def program(
        self, name: str, *arguments: str, environment: dict[str, str] | None = None, **options: object
    ) -> Child:
        """Start one of tests/programs; its service is its name."""
        variables = {"PORTSUP_SERVICE": name} | (environment or {})
        child = self.run(
            sys.executable, "-IS", str(PROGRAMS / f"{name}.py"), *arguments, environment=variables, **options
        )
        child.service = name
        return child

    def end(self) -> None:
        """Kill all of them, and reap."""
        for child in self.started:
            for pid in child.members():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for capture in child.captures:
                capture.close()


@contextlib.contextmanager
def children() -> Iterator[Children]:
    """What starts programs, while this process is a subreaper as the daemon is, and its threads keep still."""
    set_child_subreaper()
    started = Children()
    try:
        yield started
    finally:
        started.end()
        reap_everything()
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, off again


def reap_everything(within: float = 5.0) -> None:
    """Collect every child that ended, until there is none left."""
    deadline = time.monotonic() + within
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
