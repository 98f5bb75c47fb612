"""A project folder with a services.yaml, and the real `portsup` run in it as a user would."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "programs"
LONG = 60.0  # seconds that bound everything here; nothing is expected to come near


def program(name: str, *arguments: str) -> list[str]:
    """The command line of one of the tiny programs in tests/programs."""
    return [sys.executable, str(PROGRAMS / f"{name}.py"), *arguments]


class Project:
    """A folder from which stacks are started; `env` is what `portsup` and its services inherit."""

    def __init__(self, folder: Path, services: Mapping[str, Any], **top: Any) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        self.options_of_up: tuple[str, ...] = ()  # that every `up` of this project gets
        self.write(services, **top)

    def write(self, services: Mapping[str, Any], **top: Any) -> None:
        """Replaces services.yaml."""
        text = yaml.safe_dump({"name": "t", **top, "services": dict(services)}, sort_keys=False)
        (self.folder / "services.yaml").write_text(text)

    def run(self, *words: str, within: float = LONG) -> subprocess.CompletedProcess[str]:
        """One finished `portsup` command."""
        return subprocess.run(
            self.command(*words), cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=within
        )

    def command(self, *words: str) -> list[str]:
        """The command line of a `portsup` command."""
        return [sys.executable, "-m", "supervisor", *words, *(self.options_of_up if "up" in words else ())]

    def popen(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """A `portsup` command that goes on, in a session of its own."""
        kept: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(
            self.command(*words), cwd=self.folder, env=self.env, text=True, start_new_session=True, **kept
        )

    @contextlib.contextmanager
    def up(self, *words: str) -> Iterator["Project"]:
        """The stack in the background while the block runs; it must come up."""
        started = self.run("up", "-d", *words)
        assert started.returncode == 0, started.stderr
        try:
            yield self
        finally:
            self.end()

    def end(self) -> None:
        """Ends every instance that runs, the hard way if need be."""
        for info in self.instances():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.run("--instance", str(info["instance"]), "down", "-t", "1", within=20)
            if info["pid"] is not None:  # not that of another PID namespace
                with contextlib.suppress(ProcessLookupError):
                    os.kill(info["pid"], signal.SIGKILL)

    def instances(self) -> list[dict[str, Any]]:
        """The running instances, as `portsup ls` tells of them."""
        return _lines(self.run("ls", "--format", "json").stdout)

    def status(self, *words: str) -> dict[str, dict[str, Any]]:
        """The rows of `portsup status`, by name; empty when nothing runs."""
        return {row["name"]: row for row in _lines(self.run(*words, "status", "--format", "json").stdout)}

    def daemon(self) -> int:
        """The pid of the daemon of the one instance that runs."""
        (info,) = self.instances()
        return int(info["pid"])

    def until(self, name: str, within: float = 20.0, **facts: Any) -> dict[str, Any]:
        """The status row of `name` once it has these facts."""

        def check() -> dict[str, Any] | None:
            row = self.status().get(name)
            return row if row and all(row[key] == value for key, value in facts.items()) else None

        return eventually(check, within=within, what=f"{name} with {facts}")

    def ended(self, within: float = 20.0) -> None:
        """Waits until no instance runs any more."""
        eventually(lambda: not self.instances(), within=within, what="the end of the stack")


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
