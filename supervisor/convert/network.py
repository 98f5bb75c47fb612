"""What a service of compose has to do with the network of containers: its ports, and the names that it has there."""

import re
from collections.abc import Mapping
from typing import Any

from supervisor.convert.draft import Draft
from supervisor.convert.values import mapping, port, texts


def give_ports(draft: Draft, given: dict[str, Any], known: Mapping[str, str]) -> None:
    """Note the published ports, the first of them as the one of the pool, and those in the container."""
    pairs: list[tuple[int, int]] = []
    published = given.get("ports")
    for item in published if isinstance(published, list) else ():
        wanted, target, protocol = _parts(item)
        shown = f"`ports`: {f'{wanted}:' if wanted else ''}{target}"
        outer, own = port(wanted, known), port(target, known)
        if protocol != "tcp":
            draft.leave(f"{shown}/{protocol}", "a pool has ports of TCP", "the program binds it by itself")
            continue
        if (wanted and outer is None) or own is None:
            draft.leave(shown, "that is not one known number", "set `pool` to the ports that are meant")
        if own is not None or outer is not None:
            pairs.append((outer or own or 0, own or outer or 0))
    exposed = [number for each in texts(given.get("expose")) if (number := port(each, known))]
    if pairs:
        told = draft.ports[:1]  # by its command
        main = next((pair for pair in pairs if pair[1] in told), pairs[0])
        draft.ports = [main[0], *draft.ports]
        draft.inner = [main[1]]
        further = [pair for pair in pairs if pair != main]
        draft.further = [own for _, own in further]
        if also := ", ".join(str(outer) for outer, _ in further):
            why = "a service has one port that portsup gives it"
            moved = ", ".join(str(own) for outer, own in further if own != outer)
            draft.leave(f"`ports`: {also}", why, f"the program binds {moved or 'it'} by itself")
        if main[1] != main[0]:
            draft.notes.append(f"listened on {main[1]} in its container")
    elif exposed and not draft.ports:
        draft.inner, draft.further = exposed[:1], exposed[1:]


HOST = (
    "host.docker.internal",
    "gateway.docker.internal",
    "docker.for.mac.localhost",
    "host.containers.internal",
    "host.lima.internal",
)


def give_names(draft: Draft, given: dict[str, Any], services: Mapping[str, Any]) -> None:
    """Note what other services call it, and what it calls this machine."""
    networks = given.get("networks")
    draft.here = [*HOST, *_names_of_this_machine(given.get("extra_hosts"))]
    aliases = [alias for each in mapping(networks).values() for alias in texts(mapping(each).get("aliases"))]
    for other in services.values():
        linked = (each.partition(":") for each in texts(mapping(other).get("links")))
        aliases += [alias for name, _, alias in linked if name == draft.name]
    names = (draft.name, given.get("container_name"), given.get("hostname"), *aliases)
    draft.hosts = list(dict.fromkeys(str(name) for name in names if name))


def _names_of_this_machine(extra_hosts: Any) -> list[str]:
    """The names in `extra_hosts`, a list or a mapping, that are those of the machine itself."""
    told = mapping(extra_hosts).items() or (re.split("[:=]", each, maxsplit=1) for each in texts(extra_hosts))
    found = [pair for pair in told if len(pair) == 2]
    return [str(name) for name, address in found if str(address).strip("[]") in ("host-gateway", "127.0.0.1", "::1")]


def _parts(item: Any) -> tuple[str, str, str]:
    """What is published, where it leads to, and the protocol, of `127.0.0.1:${PORT:-80}:80/tcp` or its long form."""
    if isinstance(item, dict):
        wanted, target = item.get("published"), item.get("target")
        return str(wanted or ""), str(target or ""), str(item.get("protocol") or "tcp").lower()
    found = re.fullmatch(r"(?P<ports>.*?)(?:/(?P<protocol>\w+))?", str(item), re.ASCII | re.DOTALL)
    text, protocol = (found["ports"], found["protocol"]) if found else (str(item), None)
    parts = re.findall(r"(?:\$\{[^}]*\}|\[[^\]]*\]|[^:])+", text) or [""]
    return parts[-2] if len(parts) > 1 else "", parts[-1], (protocol or "tcp").lower()
