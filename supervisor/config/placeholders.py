"""`{port}` and its relatives in commands, environments and probes: found at load, filled at spawn.

Only exact syntax counts, so JSON and shell braces pass untouched; `{{port}}` stands for the characters `{port}`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from supervisor.config.suggest import did_you_mean, is_one_slip
from supervisor.errors import PortsupError

PLAIN = ("port", "host", "instance")
OF_A_SERVICE = ("port", "url")
_SYNTAX = re.compile(r"\{\{([A-Za-z]+(?::[\w.-]*)?)\}\}|\{([A-Za-z]+)(?::([\w.-]*))?\}")
_LOOK_ALIKE = re.compile(
    r"(?<!\{)\{(?:(?P<first>port|url)\.(?P<of>[\w-]+)|(?P<owner>[\w-]+)[.:](?P<last>port|url))\}(?!\})"
    r"|(?P<alone>\{\{ port \}\})"
)


def fill(
    text: str, *, port: int | None, host: str, instance: int, endpoints: Mapping[str, int], fd: int | None = None,
    urls: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """`text` with its placeholders filled in; `endpoints` has the active port of each service by name.

    `urls` has where those answer that are not at `host`.
    `fd` is the descriptor of the socket that the service gets from the start.

    Raises PortsupError where the port asked for is not known.
    """
    if "{" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        escaped, word, name = match.groups()
        if escaped is not None:
            return f"{{{escaped}}}" if _is_known(escaped) else match[0]
        if name is not None and word in OF_A_SERVICE:
            found = endpoints.get(name)
            if found is None:
                raise PortsupError(f"cannot fill `{match[0]}`", f"the port of `{name}` is not known")
            return str(found) if word == "port" else (urls or {}).get(name) or f"http://{host}:{found}"
        if name is not None or word not in (*PLAIN, "fd"):
            return match[0]
        if word == "port" and port is None:
            raise PortsupError(f"cannot fill `{match[0]}`", "the service has no port")
        if word == "fd" and fd is None:
            raise PortsupError(f"cannot fill `{match[0]}`", "the service gets no socket", "give it `handoff: systemd`")
        return str({"port": port, "host": host, "instance": instance, "fd": fd}[word])

    return _SYNTAX.sub(value, text)


def literally(text: str) -> str:
    """`text` written so that `fill` gives its characters back, whatever braces are in it."""
    return _SYNTAX.sub(lambda m: f"{{{m[0]}}}" if m[1] is None and _is_known(m[0][1:-1]) else m[0], text)


def mistakes(
    text: str, *, has_port: bool, services: Mapping[str, bool], has_fd: bool = False, is_of_a_service: bool = True
) -> Iterator[tuple[int, str, str]]:
    """Offset, reason and hint of each placeholder that cannot be filled; `services` tells which have ports."""
    if "{" not in text:
        return
    for match in _SYNTAX.finditer(text):
        _, word, name = match.groups()
        if not is_of_a_service and name is None and word in ("port", "fd"):
            hint = f"write `{{port:NAME}}`, or `{{{match[0]}}}` for the characters themselves"
            yield match.start(), f"`{match[0]}` belongs to no service here", hint
        elif word is not None and (mistake := _mistake(match[0], word, name, has_port, has_fd, services)):
            yield (match.start(), *mistake)


def look_alikes(text: str, services: Collection[str]) -> Iterator[tuple[int, str, str]]:
    """Offset, text and placeholder of what passes as it is, and is likely meant as one: `{db.port}`, `{{ port }}`.

    What is there several times is given once.
    """
    if "{" not in text:
        return
    first: dict[str, re.Match[str]] = {}
    for match in _LOOK_ALIKE.finditer(text):
        first.setdefault(match[0], match)
    for match in first.values():
        word = match["first"] or match["last"] or "port"
        name = match["of"] or match["owner"] or ""
        if name in services or (not name and match["alone"]):
            yield match.start(), match[0], f"{{{word}:{name}}}" if name else "{port}"


def _mistake(
    whole: str, word: str, name: str | None, has_port: bool, has_fd: bool, services: Mapping[str, bool]
) -> tuple[str, str] | None:
    known = OF_A_SERVICE if name is not None else (*PLAIN, *OF_A_SERVICE, "fd")
    if word not in known:
        close: Callable[[str], bool] = lambda other: is_one_slip(word, other)  # noqa: E731
        meant = next(filter(close, known), "")
        if not meant:
            return None  # braces of somebody else
        tail = "" if name is None else f":{name}"
        return (
            f"`{whole}` is not a placeholder",
            f"did you mean `{{{meant}{tail}}}`? For the characters themselves write `{{{whole}}}`",
        )
    if word == "fd":
        if has_fd:
            return None
        return "`{fd}` is the socket of a service with `handoff: systemd`", "give it that, or use `{port}`"
    if name is None and word == "url":
        return "`{url}` names no service", "write `{url:NAME}`"
    if name is None:
        if word == "port" and not has_port:
            return "`{port}` needs a port, and the service has no `pool`", "give it a `pool`"
        return None
    if not name:
        return f"`{whole}` names no service", f"write `{{{word}:NAME}}`"
    if name not in services:
        return f"`{whole}`: there is no service `{name}`", did_you_mean(name, services) or "services: " + ", ".join(
            services
        )
    if not services[name]:
        return f"`{whole}`: service `{name}` has no `pool`, so it has no port", ""
    return None


def _is_known(inner: str) -> bool:
    word, colon, _ = inner.partition(":")
    return word in (OF_A_SERVICE if colon else (*PLAIN, *OF_A_SERVICE, "fd")) or any(
        is_one_slip(word, other) for other in (*PLAIN, *OF_A_SERVICE, "fd")
    )
