"""One service on this node: its services.yaml, the `portsup up` that runs it, and what that says."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from supervisor.cluster import plan as plans
from supervisor.config.dump import as_yaml
from supervisor.control.client import Client
from supervisor.control.json_form import as_json
from supervisor.errors import PortsupError
from supervisor.files.directory import make
from supervisor.files.replacement import write
from supervisor.logs.opening import open_log
from supervisor.logs.state_dir import instance_directory
from supervisor.ports.runtime import RuntimeDir

_MOST_SAID = 1 << 20  # bytes of what `portsup up` said that are kept
_FOR_COMMANDS = ("PORTSUP_ON", "PORTSUP_FILE")  # the raylet may have been started with them: they say which stack
_AGAIN = 0.1  # seconds between two attempts to reach the daemon


class Local:
    """From `begin` to the end of everything that it has started."""

    def __init__(self, plan: Mapping[str, Any], name: str) -> None:
        self._plan = plan
        self.name = name
        self.stack = plans.local_stack(plan, name)
        self.instance: int = plan["instance"]
        self.directory = os.path.join(instance_directory(self.stack, self.instance), "cluster")
        self._log = os.path.join(self.directory, "up.log")
        self._row: dict[str, Any] | None = None
        self._row_at = 0.0
        self.code: int | None = None  # of `portsup up`, once it is over
        self.changed = threading.Event()
        self._begun = False
        self._stdin: int | None = None

    def tell(self, document: Mapping[str, Any]) -> None:
        """Where the others are, for whatever is started from now on."""
        make(self.directory)
        write(os.path.join(self.directory, "elsewhere.json"), json.dumps(document, indent=2).encode())

    def begin(self, epoch: int, host: str, pids: list[int]) -> None:
        """Starts the service under a warden that also watches `pids`."""
        make(self.directory)
        file = os.path.join(self.directory, "services.yaml")
        config = plans.config_of(self._plan, self.name, os.getcwd(), host, epoch)
        write(file, as_yaml(config).encode(), mode=0o600)
        ours, theirs = os.pipe()
        os.set_inheritable(ours, False)
        up = [sys.executable, "-m", "supervisor", "--color=never", f"--file={file}", f"--instance={self.instance}"]
        command = [
            sys.executable, "-m", "supervisor.cluster.warden", alive_file(self.directory, epoch), *map(str, pids),
            "--", *up, "up", "--no-prefix", self.name,
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name not in _FOR_COMMANDS}
        environment |= {"PORTSUP_ELSEWHERE": os.path.join(self.directory, "elsewhere.json")}
        self._row, self.code, self._begun = None, None, True
        log = open_log(self._log, os.O_WRONLY)
        try:
            if os.fstat(log).st_size > _MOST_SAID:
                os.ftruncate(log, 0)
            process = subprocess.Popen(
                command, stdin=ours, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=self.directory
            )
        finally:
            os.close(ours)
            os.close(log)
        self._stdin = theirs
        threading.Thread(target=self._wait, args=(process,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def allow(self, stop_at: float, kill_at: float) -> None:
        """Says until when it may run, and when what is left is killed."""
        if self._stdin is not None:
            with contextlib.suppress(OSError):
                os.write(self._stdin, f"{stop_at:.3f} {kill_at:.3f}\n".encode())

    @property
    def is_over(self) -> bool:
        """Whether nothing runs that was begun."""
        return not self._begun or self.code is not None

    @property
    def row(self) -> dict[str, Any] | None:
        """How the daemon says that the service is; None before it says anything."""
        row = self._row
        if row is None or row["uptime_s"] is None:
            return row
        return {**row, "uptime_s": row["uptime_s"] + time.monotonic() - self._row_at}

    def order(self, do: str, **arguments: Any) -> list[dict[str, Any]]:
        """Carries out an order of the control protocol; how it went.  Raises PortsupError."""
        lines = self._client().order(do, **arguments)
        return [as_json(result) for line in lines for result in line.results or ()]

    def down(self, timeout: float | None) -> None:
        """Stops it; returns when nothing is left.  A daemon that has only just begun does not hear yet."""
        while not self.is_over:
            with contextlib.suppress(PortsupError):
                self.order("down", timeout=timeout)
            time.sleep(_AGAIN)

    def trouble(self) -> str:
        """The last that `portsup up` complained about, in its words."""
        try:
            with open(self._log, "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 65536))
                lines = log.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        said = process.stdout.read().strip()
        process.stdout.close()
        process.wait()
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None
        self.code = int(said) if said.isdigit() else 1
        self.changed.set()

    def _watch(self) -> None:
        while self.code is None:
            with contextlib.suppress(PortsupError):
                for answer in self._client().watch():
                    if answer is not None:
                        self._take(as_json(row) for row in answer.services if row.name == self.name)
            time.sleep(_AGAIN)

    def _take(self, rows: Any) -> None:
        for row in rows:
            self._row, self._row_at = row, time.monotonic()
            self.changed.set()

    def _client(self) -> Client:
        return Client(RuntimeDir.find().socket(self.stack, self.instance))


def alive_file(directory: str, epoch: int) -> str:
    """The file whose lock is held as long as anything of an epoch may run."""
    return os.path.join(directory, f"{epoch}.alive")
