"""What a stack needs on each node beside its services: files that tell where they are, and who looks into the logs."""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor import system
from supervisor.api.history import events_of, why_of
from supervisor.api.log_search import search_logs
from supervisor.api.values import LogQuery
from supervisor.cluster import engine
from supervisor.cluster.local import alive_file
from supervisor.cluster.plan import local_stack
from supervisor.cluster.view import Table, document, seen_from
from supervisor.config.placeholders import fill
from supervisor.control.json_form import as_json, read
from supervisor.core.address import LOOPBACK
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.files.directory import make
from supervisor.files.replacement import write_if_different, write_over
from supervisor.logs.state_dir import instance_directory, state_directory
from supervisor.ports.lockfile import FileLock
from supervisor.ports.runtime import RuntimeDir

_LOOK_EVERY = 1.0  # seconds
_MANY = 1_000_000  # events
_BOOT = "/proc/sys/kernel/random/boot_id"  # proc(5): another one after each boot of the machine


class Agent:
    """The agent of one stack on one node."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan = plan
        self._node, _, self._raylet = engine.here()
        self._pools = {name: part["pool"] for name, part in plan["services"].items()}
        threading.Thread(target=self._live, daemon=True).start()

    def is_over(self, service: str, epoch: int) -> bool:
        """Whether nothing of that epoch runs here; if so, nothing of it will."""
        directory = os.path.join(self._directory(service), "cluster")
        make(directory)
        path = alive_file(directory, epoch)
        lock = FileLock(path)
        if not lock.acquire():
            return False
        try:
            write_over(path, b"over\n", 8)
            return not system.pids_with_environ("PORTSUP_EPOCH", str(epoch))
        finally:
            lock.release()

    def logs(self, services: Sequence[str], query: Mapping[str, Any], cursors: Mapping[str, str]) -> dict[str, Any]:
        """Lines that these services have written here; of those in `cursors` all that came after that."""
        found: list[dict[str, Any]] = []
        behind = dict(cursors)
        for service in services:
            asked = read(LogQuery, query)
            if service in cursors:
                asked = replace(asked, cursor=cursors[service], count=None)
            page = search_logs(self._directory(service), [service], asked)
            found += [as_json(line) for line in page.lines]
            behind[service] = page.cursor
        return {"at": self._at(), "told": found, "cursors": behind}

    def events(self, services: Sequence[str], count: int, cursors: Mapping[str, str]) -> dict[str, Any]:
        """The last events of these services here; of those in `cursors` all that came after that."""
        found: list[dict[str, Any]] = []
        behind = dict(cursors)
        for service in services:
            cursor = cursors.get(service, "")
            page = events_of(self._directory(service), [service], cursor=cursor, count=_MANY if cursor else count)
            found += [as_json(event) for event in page.events]
            behind[service] = page.cursor
        return {"at": self._at(), "told": found, "cursors": behind}

    def why(self, service: str, state: str | None, failures: int, lines: int) -> dict[str, Any]:
        """Why the service went wrong here in its last run."""
        told = as_json(why_of(self._directory(service), service, state, failures=failures, lines=lines))
        return {"at": self._at(), "told": told}

    def _at(self) -> str:
        """The same for all nodes that share a state directory, as nodes on one machine may."""
        directory = state_directory()
        try:
            with open(_BOOT) as file:
                return f"{file.read().strip()}:{os.stat(directory).st_dev}:{os.stat(directory).st_ino}"
        except OSError:
            return f"{self._node}:{directory}"

    def _directory(self, service: str) -> str:
        return instance_directory(local_stack(self._plan, service), self._plan["instance"])

    def _live(self) -> None:
        version, registry = 0, None
        while not engine.is_orphan(self._raylet):
            with contextlib.suppress(engine.Unreachable, OSError, PortsupError):
                if registry is None:
                    registry = engine.find(engine.registry_name(self._plan["stack"], self._plan["instance"]))
                told = engine.ask(registry, "table", version)
                if told["table"] is not None:
                    self._write(told["table"])
                    version = told["version"]
            time.sleep(_LOOK_EVERY)
        engine.leave()

    def _write(self, table: Table) -> None:
        """The endpoints file of the stack on this node, and what is rendered."""
        stack, instance = self._plan["stack"], self._plan["instance"]
        services = seen_from(table, self._node, self._pools)
        runtime = RuntimeDir.open()
        try:
            content = json.dumps(document(stack, instance, services), indent=2)
            write_if_different(runtime.endpoints(f"{stack}.ray", instance), content.encode())
        finally:
            runtime.close()
        ports = {name: told["port"] for name, told in services.items()}
        urls = {name: told["url"] for name, told in services.items()}
        for file in self._plan["render"]:
            how: dict[str, Any] = {"port": None, "host": LOOPBACK, "instance": instance}
            how |= {"endpoints": ports, "urls": urls}
            to = os.path.abspath(file["to"].replace("{instance}", str(instance)))
            if write_if_different(to, fill(file["text"], **how).encode()):
                self._follow_up(file, table, [fill(word, **how) for word in file["command"]])

    def _follow_up(self, file: Mapping[str, Any], table: Table, command: Sequence[str]) -> None:
        if command:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run(command, timeout=file["timeout"], stdin=subprocess.DEVNULL, check=False)
        service = file["service"]
        if service and table.get(service, {}).get("node_id") == self._node:
            name = engine.keeper_name(self._plan["stack"], self._plan["instance"], service)
            engine.ask(engine.find(name), "order", "kill", {"services": [service], "signal": file["signal"]})
