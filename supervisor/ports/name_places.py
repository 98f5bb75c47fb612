"""Where the proxy of `names` finds the services: one small file for each that can be reached, named by its address.

The proxy looks there at each request, so that it need not be told anything when a service moves: a configuration that
changes would cut its websockets and the idle connections of its clients.
"""

import contextlib
import os
from collections.abc import Collection

from supervisor.files.content import read
from supervisor.files.directory import make
from supervisor.files.opening import Refused
from supervisor.files.replacement import write_new
from supervisor.ports.instances import is_held
from supervisor.ports.runtime import RuntimeDir

_LONGEST = 64  # bytes of a run id


class NamePlaces:
    """The files of the proxy at one port, in a folder of the runtime directory that only its user can enter."""

    def __init__(self, runtime: str, port: int) -> None:
        self.runtime = os.path.join(runtime, "names")  # the runtime directory of the proxy itself
        self.stack = f"names-{port}"  # it is a stack too
        self.addresses = os.path.join(self.runtime, str(port))
        self.follower = os.path.join(self.runtime, f"{port}.http")  # who answers where no service does
        self.admin = os.path.join(self.runtime, f"{port}.admin")
        self.config = os.path.join(self.runtime, f"{port}.json")
        self.served = os.path.join(self.runtime, f"{port}.served.json")
        self._lock = RuntimeDir(self.runtime).instance_lock(self.stack, 1)

    def is_running(self) -> bool:
        """Whether there is such a proxy."""
        return is_held(self._lock)

    def put(self, host: str, address: str, run_id: str) -> None:
        """From now on `host` leads to `address`, a service of that run; raises OSError."""
        folder = os.path.join(self.addresses, host)
        make(folder)
        with contextlib.suppress(FileExistsError):
            write_new(os.path.join(folder, address), run_id.encode(), mode=0o600)

    def drop(self, host: str, address: str) -> None:
        """And no longer."""
        folder = os.path.join(self.addresses, host)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, address))
        with contextlib.suppress(OSError):  # another address is in it
            os.rmdir(folder)

    def sweep(self, *, gone: Collection[str] = (), kept: Collection[str] | None = None) -> None:
        """Drops what belongs to the runs in `gone`, or to none of those in `kept`."""
        for host, address in self.listed():
            run = self._run_of(host, address)
            if run in gone if kept is None else run not in kept:
                self.drop(host, address)

    def listed(self) -> list[tuple[str, str]]:
        """Every name with the address that it leads to."""
        found = []
        with contextlib.suppress(OSError):
            for host in sorted(os.listdir(self.addresses)):
                found += [(host, address) for address in os.listdir(os.path.join(self.addresses, host))]
        return found

    def _run_of(self, host: str, address: str) -> str:
        try:
            return read(os.path.join(self.addresses, host, address), _LONGEST).decode(errors="replace")
        except (OSError, Refused):
            return ""
