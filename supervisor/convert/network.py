"""What a service of compose has to do with the network of containers: ports, and other services as hosts."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from supervisor.convert.draft import Draft
from supervisor.convert.values import mapping, port, texts

# In a variable with such a name the name of a service is not a host: `POSTGRES_USER: postgres`, `CACHE_DRIVER: redis`.
_NO_HOST = re.compile(
    r"USER|PASS|SECRET|NAME|DATABASE|DB$|DRIVER|TYPE|STOR(?:E|AGE)|BACKEND|ENGINE|KIND|DIALECT|SCHEME|CONNECTION|MODE",
    re.ASCII | re.IGNORECASE,
)
_HOST = re.compile(r"HOST|SERVER|ADDR|URL|URI|ENDPOINT", re.ASCII | re.IGNORECASE)


def give_ports(draft: Draft, given: dict[str, Any]) -> None:
    """Note the published ports, the first of them as the one of the pool, and those in the container."""
    published = given.get("ports")
    outside, inside = [], []
    for item in published if isinstance(published, list) else ():
        wanted, target, protocol = _parts(item)
        shown = f"`ports`: {f'{wanted}:' if wanted else ''}{target}"
        known, own = port(wanted), port(target)
        if protocol != "tcp":
            draft.leave(f"{shown}/{protocol}", "a pool has ports of TCP", "the program binds it by itself")
            continue
        if (wanted and known is None) or own is None:
            draft.leave(shown, "that is not one known number", "set `pool` to the ports that are meant")
        outside += [known or own] if known or own else []
        inside += [own] if own else []
    first = [found for found in outside if found]
    if not first:
        return
    draft.ports = [first[0], *draft.ports]
    draft.inner = inside[:1]
    if also := ", ".join(map(str, first[1:])):
        why = "a service has one port that portsup gives it"
        draft.leave(f"`ports`: {also}", why, "the program binds it by itself")
    if inside and inside[0] != first[0]:
        draft.notes.append(f"listened on {inside[0]} in its container")


def _parts(item: Any) -> tuple[str, str, str]:
    """What is published, where it leads to, and the protocol, of `127.0.0.1:${PORT:-80}:80/tcp` or its long form."""
    if isinstance(item, dict):
        wanted, target = item.get("published"), item.get("target")
        return str(wanted or ""), str(target or ""), str(item.get("protocol") or "tcp").lower()
    found = re.fullmatch(r"(?P<ports>.*?)(?:/(?P<protocol>\w+))?", str(item), re.ASCII | re.DOTALL)
    text, protocol = (found["ports"], found["protocol"]) if found else (str(item), None)
    parts = re.findall(r"(?:\$\{[^}]*\}|\[[^\]]*\]|[^:])+", text) or [""]
    return parts[-2] if len(parts) > 1 else "", parts[-1], (protocol or "tcp").lower()


def note_hosts(
    draft: Draft,
    given: dict[str, Any],
    variables: Mapping[str, str | None],
    others: Mapping[str, Any],
    carried: Collection[str],
) -> None:
    """Note where the command, the health check and the variables reach a service by the name it had as a host."""
    test = mapping(given.get("healthcheck")).get("test")
    run = " ".join([*texts(given.get("entrypoint")), *texts(given.get("command"))])
    for service in sorted(others):
        known = (service, mapping(others[service]).get("container_name"), mapping(others[service]).get("hostname"))
        for host in dict.fromkeys(str(name) for name in known if name):
            remedy = "write 127.0.0.1" + (
                f" and `{{port:{service}}}`, or `{{url:{service}}}`" if service in carried else ""
            )
            why = "that name was known in the containers' network only"
            places = [f"the variable `{key}`" for key, text in variables.items() if _is_reached(host, key, text or "")]
            places += ["the command"] if _is_called(host, run) else []
            places += ["the health check"] if _is_called(host, " ".join(texts(test))) else []
            for place in places:
                draft.leave(f"`{host}` in {place}", why, remedy)


def _is_reached(host: str, variable: str, text: str) -> bool:
    name = re.escape(host)
    if re.fullmatch(rf"(?:\$\{{\w+:?-)?{name}\}}?", text, re.ASCII):
        return bool(_HOST.search(variable)) or not _NO_HOST.search(variable)
    return bool(
        re.search(rf"(?:^|//|@|[,;]|:-|\bhost=){name}(?=[:/,;}}\s]|$)", text) or re.search(rf"\s{name}(?=:\d)", text)
    )


def _is_called(host: str, text: str) -> bool:
    name = re.escape(host)
    return bool(
        re.search(rf"(?:^|//|@|/dev/tcp/|[=,'\"\s]){name}(?=[:/]\d)", text)
        or re.search(rf"(?://|@){name}(?=[/'\"\s]|$)", text)
        or re.search(rf"(?:-h|host(?:name)?)[= ]['\"]?{name}(?![\w.-])", text)
    )
