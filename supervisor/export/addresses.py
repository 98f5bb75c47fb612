"""Where services are in the target: placeholders filled in with ports that do not move any more."""

import re
from collections.abc import Callable, Mapping

from supervisor.config.placeholders import fill
from supervisor.config.spec import HandoffMode, ServiceSpec
from supervisor.core.address import LOOPBACK, url_of
from supervisor.dataclass import dataclass

EVERYWHERE = "0.0.0.0"
_FIRST_FD = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)
_OTHER = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\]|\{host\}):\{port:([\w.-]+)\}")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The first port of each service that has one, and the host at which the others find it."""

    ports: Mapping[str, int]
    host_of: Callable[[str], str]

    @classmethod
    def of(cls, services: Mapping[str, ServiceSpec], host_of: Callable[[str], str]) -> "Addresses":
        return cls({name: spec.pool[0] for name, spec in services.items() if spec.pool}, host_of)

    def filled(self, text: str, spec: ServiceSpec, host: str = LOOPBACK) -> str:
        """`text` of a service with the addresses in it; `host` is what `{host}` stands for."""
        if "{" not in text:
            return text
        text = _OTHER.sub(lambda found: self._at(found, spec), text)
        return fill(
            text, port=self.ports.get(spec.name), host=host, instance=1, endpoints=self.ports,
            fd=_FIRST_FD if spec.handoff is HandoffMode.SYSTEMD else None, urls=self.urls(spec),
        )  # fmt: skip

    def urls(self, spec: ServiceSpec) -> dict[str, str]:
        """Where each service answers, seen from `spec`."""
        return {
            name: url_of(LOOPBACK if name == spec.name else self.host_of(name), port)
            for name, port in self.ports.items()
        }

    def variables(self, spec: ServiceSpec) -> dict[str, str]:
        """What portsup tells a service about the others, by the names that it has for that."""
        told: dict[str, str] = {}
        for name, url in self.urls(spec).items():
            if name != spec.name:
                told |= {variable(name, "PORT"): str(self.ports[name]), variable(name, "URL"): url}
        return told

    def _at(self, found: re.Match[str], spec: ServiceSpec) -> str:
        name = found[1]
        if name not in self.ports or name == spec.name:
            return found[0]
        return f"{self.host_of(name)}:{{port:{name}}}"


def variable(service: str, what: str) -> str:
    """The name of the variable that tells `what` about a service: PORTSUP_API_SERVER_PORT."""
    plain = "".join(char if char.isascii() and char.isalnum() else "_" for char in service)
    return f"PORTSUP_{plain.upper()}_{what}"
