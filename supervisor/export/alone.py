"""The services.yaml of one service in a container of its own, which nobody else's ports, order or secrets are in."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from supervisor.config import interpolate
from supervisor.config.dump import as_document
from supervisor.config.forms import usual
from supervisor.config.keys.service import SERVICE
from supervisor.config.kinds import Showing
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.export.addresses import EVERYWHERE, Addresses
from supervisor.export.model import Secret, Wishes
from supervisor.export.veil import parts

FOLDER, FILE = "/etc/portsup", "services.yaml"
_ELSEWHERE = (
    "depends_on", "profiles", "autostart", "fetch_url", "on_end", "on_port_change", "memory_cost", "gpu_memory_cost",
)  # fmt: skip
_BINDS = ("command", "environment")  # where `{host}` is where the program listens, and not where it is asked


def services_yaml(
    stack: StackSpec, spec: ServiceSpec, secrets: tuple[Secret, ...], addresses: Addresses, wishes: Wishes,
    keeps_user: bool = False,
) -> str:  # fmt: skip
    """The text of it: what differs from the defaults, with the addresses of the others filled in.

    `keeps_user`: portsup changes to the user of the service, and not who made the container.
    """
    data = said(spec)
    for key in (*_ELSEWHERE, *(() if keeps_user else ("user", "group"))):
        data.pop(key, None)
    if spec.pool:
        data["pool"] = [spec.pool[0]]
    data["working_dir"] = inside(spec.working_dir, stack, wishes)
    if others := addresses.variables(spec):
        # That file would tell it about this container alone; the variables have them all.
        words = ("env", "-u", "PORTSUP_ENDPOINTS", *spec.command)
        data["command"] = usual.command(words, Showing(reveal=True))
    own = {"HOST": EVERYWHERE} if spec.pool and spec.environment.get("HOST", EVERYWHERE) != "::" else {}
    data["environment"] = {**spec.environment, **own, **others}
    needed = {secret.name: secret.needed for secret in secrets}
    shown = {
        key: _written(value, spec, addresses, needed, EVERYWHERE if key in _BINDS else "")
        for key, value in data.items()
    }
    return as_document({"name": stack.name, "services": {spec.name: shown}})


def is_over(spec: ServiceSpec) -> bool:
    """Whether portsup in the container ends by itself: with a job, unless it runs it at the next time, too."""
    return spec.one_shot and spec.schedule is None


def said(spec: ServiceSpec) -> dict[str, Any]:
    """What a services.yaml has to say for this service: what is not the default."""
    usually = {**everything(plain(spec)), "command": None, "one_shot": False}
    return {key: value for key, value in everything(spec).items() if value != usually.get(key)}


def plain(spec: ServiceSpec) -> ServiceSpec:
    """A service of the same kind that says nothing."""
    return ServiceSpec(spec.name, ("",), spec.pool and (0,), one_shot=spec.one_shot)


def everything(spec: ServiceSpec) -> dict[str, Any]:
    """Every key of a service as plain data, with its defaults; marks in the place of secrets."""
    return usual.shown(SERVICE, spec, Showing(reveal=True))


def inside(folder: Path, stack: StackSpec, wishes: Wishes) -> str:
    """Where a folder of this machine is in the image; one outside of the stack's is where it is here."""
    if folder.is_relative_to(stack.directory):
        return str(PurePosixPath(wishes.folder, *folder.relative_to(stack.directory).parts))
    return folder.as_posix()


def _written(value: Any, spec: ServiceSpec, addresses: Addresses, needed: Mapping[str, bool], host: str) -> Any:
    match value:
        case dict():
            return {key: _written(each, spec, addresses, needed, host) for key, each in value.items()}
        case list():
            return [_written(each, spec, addresses, needed, host) for each in value]
        case str():
            text = _of_others(value, spec, addresses)
            if host:
                text = re.sub(r"(?<!\{)\{host\}(?!\})", host, text)
            return "".join(
                f"${{{piece}:{'?is not set' if needed.get(piece, True) else '-'}}}" if is_name
                else interpolate.literally(piece)
                for piece, is_name in parts(text)
            )  # fmt: skip
    return value


def _of_others(text: str, spec: ServiceSpec, addresses: Addresses) -> str:
    """The text with the addresses of others in it; what is about the service itself stays."""
    urls = addresses.urls(spec)

    def value(found: re.Match[str]) -> str:
        host, what, name = found.groups()
        if name == spec.name or name not in addresses.ports:
            return found[0]
        port = str(addresses.ports[name])
        if host:
            return f"{addresses.host_of(name)}:{port}"
        return port if what == "port" else urls[name]

    return re.sub(r"(?<!\{)(?:(127\.0\.0\.1|localhost|\[::1\]|\{host\}):)?\{(port|url):([\w.-]+)\}(?!\})", value, text)
