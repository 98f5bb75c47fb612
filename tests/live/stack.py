"""A stack that a live test runs: asks its daemon directly, which is quicker than the command line, and cleans up."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from supervisor.control.client import Client
from supervisor.errors import PortsupError
from supervisor.ports.instances import InstanceInfo, running
from supervisor.ports.runtime import RuntimeDir
from tests.support.eventually import eventually
from tests.support.running import Project, program

SLEEPS = {"command": ["sleep", "1000"]}  # a service without ports that costs nothing
STOPPED = {"ok": True, "words": "stopped"}.items()  # of what `do` gives for a service that did
STUBBORN = {"command": program("ignores_sigterm"), "ready": {"log": "ignoring"}}


def notes(file: Path, seconds: float = 0, **more: Any) -> dict[str, Any]:
    """A service that notes in `file` when it begins and ends; the latter takes it so many seconds."""
    return {"command": program("notes", str(file), str(seconds)), "ready": {"log": "ready"}, **more}


class Live(Project):
    """A project whose stack is called `t`, in the runtime directory of the test."""

    def __init__(self, folder: Path, services: Mapping[str, Any], **top: Any) -> None:
        super().__init__(folder, services, **top)
        self.runtime = Path(self.env.get("PORTSUP_RUNTIME_DIR", ""))
        self.state = Path(self.env.get("PORTSUP_STATE_DIR", ""))

    def client(self, instance: int = 1) -> Client:
        """A line to the daemon of an instance."""
        return Client(self.runtime / f"t-{instance}.sock")

    def rows(self, instance: int = 1) -> dict[str, dict[str, Any]]:
        """The rows of `portsup status` by name; none when nobody answers."""
        try:
            answer = self.client(instance).ask("status")
        except PortsupError:
            return {}
        return {row["name"]: row for row in answer["services"]}

    def do(self, what: str, *services: str, **arguments: Any) -> dict[str, dict[str, Any]]:
        """Start, stop or restart services; the results by name."""
        *_, last = self.client().stream(what, services=list(services), **arguments)
        return {result["name"]: result for result in last["results"]}

    def rotate(self, service: str) -> dict[str, Any]:
        """Moves a service to its next port; the result."""
        *_, last = self.client().stream("rotate", service=service)
        result: dict[str, Any] = last["results"][0]
        return result

    def until(self, name: str, within: float = 20.0, instance: int = 1, **facts: Any) -> dict[str, Any]:
        """The status row of `name` once it has these facts."""
        last: dict[str, Any] = {}

        def check() -> bool:
            last.clear()
            last.update(self.rows(instance).get(name, {}))
            return bool(last) and all(last[key] == value for key, value in facts.items())

        try:
            eventually(check, within=within)
        except AssertionError:
            raise AssertionError(f"{name} did not become {facts} within {within:g} s, but is {last}") from None
        return last

    def infos(self) -> list[InstanceInfo]:
        """The instances that run; none where the runtime directory cannot be used."""
        try:
            return running(RuntimeDir.find(os.fspath(self.runtime)))
        except PortsupError:
            return []

    def daemon(self) -> int:
        (info,) = self.infos()
        return info.pid

    def ended(self, within: float = 20.0) -> None:
        eventually(lambda: not self.infos(), within=within, what="the end of the stack")

    def end(self) -> None:
        for info in self.infos():
            with contextlib.suppress(PortsupError):
                list(Client(info.socket).stream("down", timeout=0.2))
            if (pid := info.pid_here) is None:  # of another PID namespace: whoever made that ends it
                continue
            with contextlib.suppress(AssertionError):
                eventually(lambda pid=pid: not is_alive(pid), within=5)  # type: ignore[misc]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def endpoints(self, instance: int = 1) -> dict[str, Any]:
        """What the endpoints file says of each service."""
        services: dict[str, Any] = json.loads((self.runtime / f"t-{instance}.endpoints.json").read_text())["services"]
        return services

    def log(self, service: str, instance: int = 1) -> str:
        """What a service printed."""
        path = self.state / f"t-{instance}" / f"{service}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def journal(self, event: str = "", instance: int = 1) -> list[dict[str, Any]]:
        """The events in portsup.log, those of one kind if a kind is given."""
        path = self.state / f"t-{instance}" / "portsup.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [fact for fact in map(json.loads, lines) if event in ("", fact["event"])]

    @contextlib.contextmanager
    def foreground(self, *words: str, stdout: Any = None) -> Iterator["Foreground"]:
        """`portsup up` in the foreground; what is left of it is ended after the block."""
        up = Foreground(self, words, stdout)
        try:
            yield up
        except BaseException:
            with contextlib.suppress(subprocess.TimeoutExpired):
                up.process.wait(2)  # it says why it ends when that is done
            print(f"`up`, whose exit code is {up.process.poll()} (None while it runs), said last:\n{up.err[-4000:]}")
            raise
        finally:
            up.clean_up()

    def leaves_nothing(self, *ports: int) -> None:
        """Fails unless no lock is held, no record, socket or endpoints file says anything, and these ports are free."""
        files = [path for path in self.runtime.rglob("*") if path.is_file()]
        left = [path.name for path in files if path.suffix != ".lock" and path.read_bytes().strip()]
        held = [path.name for path in files if is_locked(path)]
        sockets = list(self.runtime.glob("*.sock"))
        assert (left, held, sockets) == ([], [], []), f"left behind: {left}, held: {held}, {sockets}"
        eventually(lambda: [port for port in ports if not is_free(port)] == [], within=2, what=f"{ports} free")


class Foreground:
    """A `portsup up` that runs; its output goes to files, so that nobody has to read it."""

    def __init__(self, stack: Live, words: tuple[str, ...], stdout: Any) -> None:
        self._stack = stack
        number = sum(1 for _ in stack.folder.glob("*.err"))
        self._out = stack.folder / f"{number}.out"
        self._err = stack.folder / f"{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = stack.popen("up", *words, stdout=stdout or out, stderr=err)

    @property
    def out(self) -> str:
        """What came on stdout so far."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        """What came on stderr so far."""
        return self._err.read_text(errors="replace")

    def says(self, words: str, within: float = 20.0) -> None:
        """Waits until these words are on stderr."""
        deadline = time.monotonic() + within
        while words not in self.err:
            assert time.monotonic() < deadline, f"no {words!r} within {within:g} s in:\n{self.err}"
            assert self.process.poll() is None or words in self.err, f"ended without {words!r}:\n{self.err}"
            time.sleep(0.02)

    def send(self, number: int) -> None:
        """Sends a signal to `portsup up` alone."""
        self.process.send_signal(number)

    def ends(self, within: float = 20.0) -> int:
        """Waits for the end; the exit code."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end within {within:g} s:\n{self.err}") from None

    def clean_up(self) -> None:
        """Ends what still runs."""
        if self.process.poll() is None:
            self._stack.end()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def is_free(port: int) -> bool:
    """Whether anybody may bind the port, on v4 and v6."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is no owner
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def is_locked(path: Path) -> bool:
    """Whether somebody has the flock on a file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def parent_of(pid: int) -> int:
    """The parent's pid."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def answer_of(port: int, host: str = "127.0.0.1", within: float = 2.0) -> str:
    """What the program `listens` on that port answers: its pid."""
    with socket.create_connection((host, port), within) as connection:
        return connection.recv(64).decode().strip()


def stranger(port: int, address: str = "127.0.0.1", *, shared: bool = False) -> socket.socket:
    """A listening socket of ours: to portsup, of somebody else's program."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((address, port))
    server.listen()
    return server
