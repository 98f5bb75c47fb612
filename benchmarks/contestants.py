"""A supervisor that runs the same services as every other, in a folder of its own: portsup, and the two floors."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import processes, tools

FIRST_PORT = 31000  # above those of the tests and their instances, below those the system hands out


@dataclass(frozen=True, slots=True)
class Workload:
    """`count` copies of one program; portsup gives each a pool of `pool` ports, the others know the first one only."""

    count: int
    program: str = "server"
    pool: int = 3
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def ports(self) -> list[int]:
        return list(range(FIRST_PORT, FIRST_PORT + self.count * self.pool, self.pool))


class Run:
    """A supervisor that runs a workload; the subclasses know how it is started and asked."""

    name = ""
    cannot: frozenset[str] = frozenset()  # measures that it has nothing for

    def __init__(self, workload: Workload, folder: Path) -> None:
        self.workload = workload
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.program = tools.program(workload.program)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PORTSUP_")},
            **workload.environment,
            processes.MARK: self.mark,
        }
        self.log = folder / "output"
        self.answered_after = 0.0  # seconds from the start until every service answered
        self.started_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.configure()

    def start(self) -> None:
        """Starts it."""
        command = self.command()
        with self.log.open("wb") as output:
            self.started_at = time.monotonic()
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @staticmethod
    def prepare() -> str:
        """Builds what it needs, once; what is missing, in words, or nothing."""
        return ""

    def configure(self) -> None:
        """Writes the configuration into the folder."""

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def status(self) -> list[str] | None:
        """The command that shows the state of all services, None when there is none."""
        return None

    def port(self) -> list[str] | None:
        """The command that tells the port of one service; that of `status` where there is no other."""
        return self.status()

    def stop(self) -> None:
        """Has it end itself and every service; returns at once."""
        os.kill(self.main_pid(), signal.SIGTERM)

    def settle(self, within: float) -> None:
        """Waits until the start is over and no helper of it is left."""

    def check(self) -> None:
        """Raises when the start has failed."""
        if self.process is not None and self.process.poll():
            words = self.log.read_text(errors="replace")[-500:]
            raise RuntimeError(f"{self.name} returned {self.process.returncode}: {words}")

    def explain(self) -> str:
        """What the supervisor says about services that do not run where they should."""
        command = self.status()
        if command is None:
            return ""
        told = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=10)
        expected = {str(port) for port in self.workload.ports}
        wrong = [line for line in told.stdout.splitlines()[1:] if not expected & set(line.split())]
        return "; ".join([told.stderr.strip(), *wrong[:5]])

    def main_pid(self) -> int:
        """The process that ends everything when it gets a SIGTERM."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process.pid

    def captured(self) -> int:
        """How many bytes of the services' output are in files."""
        return sum(path.stat().st_size for path in self.log_files())

    def log_files(self) -> list[Path]:
        return list(self.folder.glob("flood*.log*"))

    def own_pids(self) -> list[int]:
        """The supervisor's own processes, the services left out."""
        return [pid for pid, name in processes.marked(self.mark).items() if name != self.program.name]

    def service_pids(self) -> list[int]:
        return [pid for pid, name in processes.marked(self.mark).items() if name == self.program.name]

    def end(self) -> None:
        """Ends every process of the run, whatever state it is in."""
        left = processes.marked(self.mark)
        ends = processes.Ends(left)
        with contextlib.suppress(OSError, RuntimeError):
            if self.main_pid() in left:  # else a record that was left, and the pid may be another's by now
                self.stop()
        if ends.wait(within=2.0):
            ends.kill()
        ends.close()
        while left := processes.marked(self.mark):  # started while it was ended
            ends = processes.Ends(left)
            ends.kill()
            ends.wait(within=1.0)
            ends.close()
        if self.process is not None:
            self.process.wait()


class Floor(Run):
    name = "C floor"

    @staticmethod
    def prepare() -> str:
        tools.program("floor")
        return ""

    def command(self) -> list[str]:
        floor, work = str(tools.program("floor")), self.workload
        if work.program == "flood":
            return [floor, str(self.program), str(self.folder / "flood.log")]
        return [floor, str(self.program), str(FIRST_PORT), str(work.pool), str(work.count)]


class PythonFloor(Run):
    """What the interpreter, asyncio and the libraries that portsup depends on cost by themselves."""

    name = "Python floor"
    options: tuple[str, ...] = ()

    def command(self) -> list[str]:
        work = self.workload
        floor = [sys.executable, str(tools.PROGRAMS / "floor.py"), *self.options, self._socket()]
        if work.program == "flood":
            return [*floor, str(self.program), str(self.folder / "flood.log")]
        return [*floor, str(self.program), str(FIRST_PORT), str(work.pool), str(work.count)]

    def status(self) -> list[str]:
        return [sys.executable, str(tools.PROGRAMS / "ask.py"), self._socket()]

    def _socket(self) -> str:
        return str(self.folder / "socket")


class HoldingFloor(PythonFloor):
    """The same with the least of locks, held ports, looks at them, and a process that outlives it."""

    name = "holding floor"
    options = ("--hold",)


class Portsup(Run):
    name = "portsup"

    @staticmethod
    def prepare() -> str:
        tools.portsup()
        return ""

    def configure(self) -> None:
        self.environment["PORTSUP_RUNTIME_DIR"] = str(self.folder / "r")
        self.environment["PORTSUP_STATE_DIR"] = str(self.folder / "s")
        services = {
            f"s{port}": {
                "command": [str(self.program)],
                "pool": list(range(port, port + self.workload.pool)),
                "ready": "started" if self.workload.program == "flood" else "listening",
                "restart": "always",
                "environment": {"API_TOKEN": "what-nobody-may-see"} if self.workload.program == "flood" else {},
                "restart_policy": {"delay": 0, "max_restarts": 100000},
                "logging": {"max_size": "50MB", "backups": 10},
            }
            for port in self.workload.ports
        }
        # JSON is YAML too.
        (self.folder / "services.yaml").write_text(json.dumps({"name": "bench", "services": services}, indent=1))

    def command(self) -> list[str]:
        return [str(tools.portsup()), "-f", str(self.folder / "services.yaml"), "up", "-d"]

    def status(self) -> list[str]:
        return [str(tools.portsup()), "-f", str(self.folder / "services.yaml"), "status"]

    def port(self) -> list[str]:
        name = f"s{self.workload.ports[0]}"
        return [str(tools.portsup()), "-f", str(self.folder / "services.yaml"), "port", name]

    def settle(self, within: float) -> None:
        if self.process is not None:
            self.process.wait(within)
        self.check()

    def main_pid(self) -> int:
        records = list((self.folder / "r/instances").glob("*.json"))
        if not records:
            raise RuntimeError("portsup has no record of a running instance")
        return int(json.loads(records[0].read_text())["pid"])

    def log_files(self) -> list[Path]:
        return [path for path in self.folder.glob("s/*/s*.log*") if not path.name.endswith(".idx")]


class WithoutHandoff(Portsup):
    name = "portsup --handoff off"

    def command(self) -> list[str]:
        return [*super().command(), "--handoff", "off"]


_left_folders: list[Path] = []


@atexit.register
def _remove_folders() -> None:
    # At the end only: without a journal ext4 does not give out inodes again that were freed in the last minute, and
    # looks through all of them for each new file (recently_deleted in fs/ext4/ialloc.c), which slows the next rounds.
    for folder in _left_folders:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(contestant: type[Run], workload: Workload, within: float = 60.0) -> Iterator[Run]:
    """The contestant with all services answering (a flooding one: started); everything is ended afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pb"))
    run = None
    try:
        run = contestant(workload, folder)
        run.start()
        if workload.program == "server":
            try:
                processes.wait_for_answers(workload.ports, within, run.check)
            except TimeoutError as error:
                raise TimeoutError(f"{error}: {run.explain()}") from error
        run.answered_after = time.monotonic() - run.started_at
        run.settle(within)
        yield run
    finally:
        if run:
            run.end()
        if workload.program == "server":
            _left_folders.append(folder)
        else:  # too large to keep
            shutil.rmtree(folder, ignore_errors=True)
