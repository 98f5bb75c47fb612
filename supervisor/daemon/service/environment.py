"""The environment, the arguments and the PATH that a service gets."""

import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence

from supervisor.config.placeholders import fill
from supervisor.config.spec import HandoffMode, ServiceSpec
from supervisor.daemon.stack.endpoints import HOST, Endpoint, variable
from supervisor.process.executable import with_own_bin
from supervisor.process.last_answer import kept_for_the_last

# Of portsup's own variables only these are passed on: what runs in a service must see the same locks and logs.
FOLDERS = ("PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR")
# What a service manager says to one process alone, sd_listen_fds(3) and sd_notify(3): not passed on if said to us.
ACTIVATION = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
NOTIFICATION = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
_BEGINNING = 4096  # bytes: the paths of a program and of its interpreter, and what the kernel adds
FIRST_FD = 3  # SD_LISTEN_FDS_START


def environment_of(
    spec: ServiceSpec,
    port: int | None,
    endpoints: Mapping[str, Endpoint],
    facts: Mapping[str, str],
    instance: int,
    inherited: Mapping[str, str],
    about_others: Mapping[str, str],
) -> ChainMap[str, str]:
    """All variables of the service's process: its own, then those that all services get, which are held once.

    `facts` tell it about this instance, `about_others` (from `variables`) where every service of the stack is.
    """
    fd = socket_of(spec)
    told = dict(_passed_on(inherited))
    told |= {name: filled(value, port, instance, endpoints, fd) for name, value in spec.environment.items()}
    if port is not None:
        told[spec.port_env] = str(port)
    for name in told.keys() & about_others.keys():
        del told[name]
    return ChainMap({**told, "PORTSUP_SERVICE": spec.name, **facts}, about_others)  # type: ignore[arg-type]


@kept_for_the_last
def _passed_on(inherited: Mapping[str, str]) -> Mapping[str, str]:
    """What every service gets of our own environment, and what belongs to that: its PATH takes a dozen looks."""
    told = {name: value for name, value in inherited.items() if not name.startswith("PORTSUP_") or name in FOLDERS}
    for name in (*ACTIVATION, *NOTIFICATION):
        told.pop(name, None)
    told.setdefault("PYTHONUNBUFFERED", "1")
    path = told.get("PATH", os.defpath)
    if (wider := with_own_bin(path)) != path:
        told["PATH"] = wider
    told["HOST"] = HOST
    return told


def that_fits(
    environment: ChainMap[str, str], words: Sequence[str], room: int, needed: Iterable[str]
) -> Mapping[str, str]:
    """What of `environment` a program can be started with that has these arguments, in `room` bytes.

    That is all of it but the variables that all services get where they are too many; those of the `needed` ones stay.
    """
    own, of_all = environment.maps
    if room_taken(own, words) + _room_of_all(of_all) <= room:
        return environment
    kept = {variable(name, what) for name in needed for what in ("PORT", "URL")}
    return {**{name: value for name, value in of_all.items() if name in kept}, **own}


def room_taken(environment: Mapping[str, str], words: Sequence[str]) -> int:
    """The bytes that arguments and environment take, and what begins a script, each text with its pointer."""
    return _room_of(words) + _room_of_variables(environment) + _BEGINNING


def _room_of_variables(variables: Mapping[str, str]) -> int:
    return _room_of((*variables.keys(), *variables.values())) - 8 * len(variables)  # one pointer for name and value


def _room_of(texts: Sequence[str]) -> int:
    text = "".join(texts)  # as one: a large stack has a thousand
    return (len(text) if text.isascii() else len(os.fsencode(text))) + 9 * len(texts)


_room_of_all = kept_for_the_last(_room_of_variables)


def with_more(environment: Mapping[str, str], told: Mapping[str, str]) -> Mapping[str, str]:
    """The same environment with these variables as well."""
    return environment | told if isinstance(environment, ChainMap) else {**environment, **told}


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
