"""The proxy behind `names`: a stack of its own for each port, which portsup runs as it runs all others."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from supervisor.api.project import Project
from supervisor.api.values import Came
from supervisor.config import caddy
from supervisor.errors import PoolExhausted, PortsupError
from supervisor.files.content import read
from supervisor.files.directory import make
from supervisor.files.opening import Refused
from supervisor.files.replacement import write
from supervisor.ports.instances import InstanceInfo, running
from supervisor.ports.library import PortPool
from supervisor.ports.name_places import NamePlaces as NamePlaces
from supervisor.ports.runtime import RuntimeDir
from supervisor.process.shared import MARK
from supervisor.words import naming

_ASKED_WITHIN = 10.0  # seconds for its version
_LONGEST = 1 << 20  # bytes of a file of ours


def usable_caddy() -> str:
    """The Caddy to run; raises PortsupError where there is none that will do."""
    old = ""
    for path in caddy.found():
        try:
            told = subprocess.run(
                [path, "version"], capture_output=True, timeout=_ASKED_WITHIN, stdin=subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}, check=False,
            ).stdout[:_LONGEST].decode(errors="replace")  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            told = ""
        version = re.match(r"v?(\d{1,9})\.(\d{1,9})(\.[\w.+-]+)?", told, re.ASCII)
        if version and (int(version[1]), int(version[2])) >= caddy.LEAST:
            return path
        old = old or naming.too_old(path, version[0] if version else "")
    raise PortsupError(naming.CANNOT_GIVE, old or caddy.MISSING, caddy.GET)


class NameProxy:
    """The stack of the proxy at one port."""

    def __init__(self, port: int, runtime: str, state: str) -> None:
        """`runtime` and `state` are the directories of the stacks that it is for."""
        self.port = port
        self.places = NamePlaces(runtime, port)
        self.state = os.path.join(state, "names")  # its own state directory
        self.home = os.path.join(self.state, "caddy")  # what Caddy takes for the home of its user

    def prepare(self, services: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        """Writes what it is made of; raises PortsupError or OSError."""
        RuntimeDir.open(self.places.runtime).close()
        for folder in (self.places.addresses, self._folder, self.home):
            make(folder)
        self.configure(config)
        stack = {"name": self.places.stack, "services": services}
        write(os.path.join(self._folder, "services.yaml"), json.dumps(stack).encode(), mode=0o600)

    def configure(self, config: Mapping[str, Any]) -> bytes:
        """Writes the configuration with which Caddy starts, and gives it; raises OSError."""
        text = json.dumps(config).encode()
        write(self.places.config, text, mode=0o600)
        return text

    def why_no_port(self) -> str:
        """Who has its port; empty if nobody has.  Raises PortsupError where that cannot be found out."""
        runtime = RuntimeDir.open(self.places.runtime)
        try:
            PortPool(self.places.stack, [self.port], runtime=runtime).acquire().release()
        except PoolExhausted as error:
            return error.reasons[0][1]
        finally:
            runtime.close()
        return ""

    def up(self, timeout: float) -> Came:
        """Brings it up, where it is not up already."""
        os.environ |= {"PORTSUP_RUNTIME_DIR": self.places.runtime, "PORTSUP_STATE_DIR": self.state}
        os.environ[MARK] = str(self.port)
        return Project(self._folder, instance=1).up(timeout=timeout)

    def keep(self, name: str, value: object) -> None:
        """Writes a note for the next process that follows; raises OSError."""
        write(name, json.dumps(value).encode(), mode=0o600)

    def kept(self, name: str) -> bytes:
        """What was written; empty if nothing was."""
        try:
            return read(name, _LONGEST)
        except (OSError, Refused):
            return b""

    @property
    def _folder(self) -> str:
        return os.path.join(self.state, str(self.port))


def python(*words: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-P", "-m", *words]


def instance_of(runtime: str, run: str) -> InstanceInfo | None:
    """The instance with this run id, if it runs."""
    return next((info for info in running(RuntimeDir.find(runtime)) if info.run_id == run), None)


def runs(runtime: str) -> set[str]:
    """The run ids of all instances that run."""
    return {info.run_id for info in running(RuntimeDir.find(runtime))}
