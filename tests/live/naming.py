"""Stacks whose names one proxy answers for."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from supervisor.control.client import Client
from supervisor.errors import PortsupError
from supervisor.ports.instances import InstanceInfo, running
from supervisor.ports.name_places import NamePlaces
from supervisor.ports.runtime import RuntimeDir
from tests.live.conftest import Make
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LONG = 60.0  # seconds that bound what a busy machine does; nothing is expected to come near
HTTP = program("serves_http")


class Named:
    """Stacks whose names one proxy answers for."""

    def __init__(self, make: Make, folder: Path) -> None:
        self.make, self.folder = make, folder
        (self.port,) = free_pool(1)
        self.places = NamePlaces(str(folder / "r"), self.port)
        self.made: list[Live] = []

    def stack(self, services: dict[str, Any], folder: str = "p", **top: Any) -> Live:
        self.made.append(self.make(services, folder, **{"names": {"port": self.port}, **top}))
        return self.made[-1]

    def url(self, service: str, stack: str = "t", instance: int = 1) -> str | None:
        """Where a service answers by its name, as its stack says."""
        try:
            rows = Client(self.folder / f"r/{stack}-{instance}.sock").ask("status")["services"]
        except PortsupError:
            return None
        return next((row["name_url"] for row in rows if row["name"] == service), None)

    def served(self, service: str, stack: str = "t", instance: int = 1) -> None:
        """Waits until it has its name."""
        eventually(lambda: self.url(service, stack, instance), within=LONG, what=f"the name of {service}")

    def proxies(self) -> list[InstanceInfo]:
        return running(RuntimeDir.find(self.places.runtime))

    def ended(self) -> None:
        eventually(lambda: not self.places.is_running() and not self.proxies(), within=LONG, what="the proxy's end")

    def processes(self) -> list[psutil.Process]:
        """Those of the proxy."""
        (info,) = self.proxies()
        return psutil.Process(info.pid).children()

    def caddy(self) -> psutil.Process:
        def found() -> psutil.Process | None:
            return next((each for each in self.processes() if each.name() == "caddy"), None)

        return eventually(found, within=LONG)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)

    @contextlib.contextmanager
    def websocket(self, service: str, stack: str = "t") -> "Iterator[ClientConnection]":
        """A client of a library, connected under the name."""
        from websockets.sync.client import connect

        sock = socket.create_connection(("127.0.0.1", self.port), LONG)
        with connect(f"ws://{service}.{stack}.localhost:{self.port}/", sock=sock, open_timeout=LONG) as connection:
            yield connection

    def ask(self, host: str, path: str = "/", method: str = "GET", **more: Any) -> tuple[int, str]:
        """Status and body of the answer under a name."""
        connection = self.connect()
        with contextlib.closing(connection):
            headers = {"Host": host, **more.pop("headers", {})}
            connection.request(method, path, headers=headers, **more)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


def http_service(size: int = 3, **more: Any) -> dict[str, Any]:
    return {"command": HTTP, "pool": list(free_pool(size)), **more}
