"""The environment, the arguments and the PATH that a service gets."""

import os
from collections import ChainMap
from collections.abc import Callable, Mapping

from supervisor.config.placeholders import fill
from supervisor.config.spec import HandoffMode, ServiceSpec
from supervisor.daemon.stack.endpoints import HOST, Endpoint
from supervisor.process.executable import own_bin

# Of portsup's own variables only these are passed on: what runs in a service must see the same locks and logs.
FOLDERS = ("PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR")
# What a service manager says to one process alone, sd_listen_fds(3) and sd_notify(3): not passed on if said to us.
ACTIVATION = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
NOTIFICATION = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
FIRST_FD = 3  # SD_LISTEN_FDS_START


def environment_of(
    spec: ServiceSpec,
    port: int | None,
    endpoints: Mapping[str, Endpoint],
    facts: Mapping[str, str],
    instance: int,
    inherited: Mapping[str, str],
    about_others: Mapping[str, str],
) -> dict[str, str]:
    """All variables of the service's process.

    `facts` tell it about this instance, `about_others` (from `variables`) where every service of the stack is.
    """
    told = {name: value for name, value in inherited.items() if not name.startswith("PORTSUP_") or name in FOLDERS}
    for name in (*ACTIVATION, *NOTIFICATION):
        told.pop(name, None)
    told.setdefault("PYTHONUNBUFFERED", "1")
    folder = own_bin()
    path = told.get("PATH", os.defpath)
    if folder and folder not in path.split(os.pathsep):
        told["PATH"] = f"{folder}{os.pathsep}{path}"
    told["HOST"] = HOST
    fd = socket_of(spec)
    told |= {name: filled(value, port, instance, endpoints, fd) for name, value in spec.environment.items()}
    if port is not None:
        told[spec.port_env] = str(port)
    return {**told, **about_others, "PORTSUP_SERVICE": spec.name, **facts}


def kept_once(environment: Mapping[str, str], of_all: Mapping[str, str]) -> Mapping[str, str]:
    """The same variables; those `of_all` services are held for all of them once: a thousand have two thousand."""
    return ChainMap({name: value for name, value in environment.items() if of_all.get(name) is not value}, of_all)  # type: ignore[arg-type]


def socket_of(spec: ServiceSpec) -> int | None:
    """The descriptor that the service finds its socket at, None where it gets none from the start."""
    return FIRST_FD if spec.handoff is HandoffMode.SYSTEMD else None


def filled(
    text: str, port: int | None, instance: int, endpoints: Mapping[str, Endpoint], fd: int | None = None,
    host: str = HOST, quote: Callable[[str], str] = str,
) -> str:  # fmt: skip
    """`text` with `{port}` and the like filled in; raises PortsupError for a service that is not among `endpoints`.

    Addresses are put through `quote` first.
    """
    if "{" not in text:
        return text
    ports = {name: endpoint.port for name, endpoint in endpoints.items()}
    urls = {name: quote(endpoint.url) for name, endpoint in endpoints.items()} if "url:" in text else {}
    return fill(text, port=port, host=quote(host), instance=instance, endpoints=ports, fd=fd, urls=urls)
