"""Where each service of the stack can be reached: as environment variables, and as a file that is always current."""

import json
from collections.abc import Mapping

from supervisor.annotations import Any
from supervisor.core.address import LOOPBACK, url_of
from supervisor.dataclass import dataclass

HOST = LOOPBACK  # where services are asked to listen, and are expected until they do elsewhere


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The active port of a service, the pool that it comes from, and the address at which it listens."""

    port: int
    pool: tuple[int, ...]
    host: str = HOST

    @property
    def url(self) -> str:
        """Where an HTTP server on that port answers."""
        return url_of(self.host, self.port)


def variable(service: str, what: str) -> str:
    """The name of the environment variable that tells `what` about a service: PORTSUP_API_SERVER_PORT."""
    plain = "".join(char if char.isascii() and char.isalnum() else "_" for char in service)
    return f"PORTSUP_{plain.upper()}_{what}"


def variables(endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """What every child is told about every service of the stack."""
    told: dict[str, str] = {}
    for name, endpoint in endpoints.items():
        told[variable(name, "PORT")] = str(endpoint.port)
        told[variable(name, "URL")] = endpoint.url
    return told


def read_elsewhere(path: str) -> dict[str, Endpoint]:
    """Where services are that run on other machines, from a file as `document` makes it; those that run here are not.

    Empty where the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            told = json.load(file)
        return {
            name: Endpoint(each["port"], tuple(each["pool"]), each["host"])
            for name, each in told["services"].items() if name != told["here"]
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def document(stack: str, instance: int, endpoints: Mapping[str, Endpoint]) -> dict[str, Any]:
    """What the endpoints file holds."""
    services = {
        name: {"port": endpoint.port, "host": endpoint.host, "url": endpoint.url, "pool": list(endpoint.pool)}
        for name, endpoint in endpoints.items()
    }
    return {"stack": stack, "instance": instance, "services": services}
