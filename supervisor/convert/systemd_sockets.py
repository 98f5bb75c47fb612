"""The socket units of a service: what systemd opens for it, and whether its first client starts it."""

import os.path
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from supervisor.convert import unit_file
from supervisor.convert.around import Around
from supervisor.convert.draft import Draft
from supervisor.convert.own_port import is_number
from supervisor.core.address import LOOPBACK
from supervisor.errors import PortsupError

_READ = frozenset((
    "ListenStream", "Backlog", "NoDelay", "ReusePort", "BindIPv6Only", "Accept", "Service", "FileDescriptorName",
))  # fmt: skip
_ALL = {"0.0.0.0", "::", ""}


def sockets(
    draft: Draft, path: str, service: Mapping[str, list[str]], around: Around, specifier: Callable[[str], str], *,
    starts_by_itself: bool,
) -> None:  # fmt: skip
    """The port of the first socket unit of a service, which systemd opens for it; its first client may start it."""
    found = list(_units(path, service, around))
    if not found:
        return
    unit, given = found[0]
    for other, more in found[1:]:
        draft.leave(f"`{other}`", "a service gets one socket", "see whether you need it", source=more)
    told = [specifier(each) for each in given.get("ListenStream", [])]
    parts = [each.rpartition(":") for each in told]
    places = [(host.strip("[]"), port) for host, _, port in parts if is_number(port)]
    if given.get("Accept", ["no"])[-1].lower() in ("yes", "true", "1", "on"):
        why = "it starts a process for each connection"
        draft.leave(f"`Accept=` of `{unit}`", why, "use a program that accepts connections itself")
        return
    if not places:
        why = "a pool has ports of TCP, and these are no such"
        draft.leave(f"`{unit}`", why, "let the program open its socket itself", source=given)
        return
    if len(told) > 1 or given.keys() - _READ:
        draft.leave(f"`{unit}`", "a service gets one socket, of TCP", "see whether you need the rest", source=given)
    host, port = places[0]
    draft.ports, draft.gets_port = [int(port)], True
    draft.fields["handoff"] = "systemd"
    draft.notes.append(f"portsup opens its socket, as `{unit}` says, and passes it as descriptor 3")
    if name := next(iter(given.get("FileDescriptorName", [])[-1:]), ""):
        draft.notes.append(f"its socket is called `{draft.name}` in `LISTEN_FDNAMES`, with systemd `{name}`")
    if host not in (*_ALL, LOOPBACK, "localhost"):
        draft.environment.setdefault("HOST", host)
    elif host in _ALL:
        wide = host or "::"
        draft.notes.append(f'it listens at {LOOPBACK}; for other machines set `HOST: "{wide}"` in `environment`')
    if not starts_by_itself:
        draft.fields["start"] = "on-connect"
        draft.notes.append("its first client starts it, because its unit has no `WantedBy`")


def _units(path: str, service: Mapping[str, list[str]], around: Around) -> Iterator[tuple[str, dict[str, Any]]]:
    """The socket units whose sockets a service gets, with what is in their `[Socket]`.

    That is the one of its name, of an instance also that of its template or, with `Accept`, of its name alone; those in
    its `Sockets`; and those that name it in `Service`.
    """
    name = os.path.basename(path).removesuffix(".service")
    stem, at, _ = name.partition("@")
    wanted = [each for told in service.get("Sockets", []) for each in told.split()]
    own = dict.fromkeys((f"{name}.socket", *((f"{stem}@.socket", f"{stem}.socket") if at else ()), *wanted))
    others = [each for each in around.found("*.socket") if each not in own]
    for each in (*own, *others):
        try:
            given = unit_file.sections(around.read(each)).get("Socket", {})
        except PortsupError:
            continue
        names = {f"{name}.service", *([f"{stem}@.service"] if at else [])}
        named = next(iter(given.get("Service", [])[-1:]), "")
        accepts = given.get("Accept", ["no"])[-1].lower() in ("yes", "true", "1", "on")
        if at and each == f"{stem}.socket" and not accepts and each not in wanted:
            continue  # that of the service without an instance
        if not at and accepts and each == f"{name}.socket" and not named:
            continue  # systemd starts an instance of `name@.service` for each connection
        if named in names or each in wanted or (each in own and not named):
            yield each, given
