"""Which program a file was written for, by its name and by what is in it."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from supervisor.convert import compose, pm2, process_compose, procfile, supervisord
from supervisor.convert.draft import Left, Outcome
from supervisor.convert.finish import plain
from supervisor.convert.layers import Layers, Read, Source
from supervisor.convert.values import cleaned
from supervisor.errors import PortsupError, UsageError

KINDS = ("procfile", "supervisord", "compose", "process-compose", "pm2")
_OF_YAML: dict[str, Callable[[Any], Outcome]] = {
    "compose": compose.convert,
    "process-compose": process_compose.convert,
}
_OF_TEXT: dict[str, Callable[[str], Outcome]] = {
    "procfile": procfile.convert,
    "supervisord": supervisord.convert,
    "pm2": pm2.convert,
}
_NAMES = (
    (r"procfile(\..*)?|.*\.procfile", "procfile"),
    (r"supervisord?\.conf|.*\.ini", "supervisord"),
    (r"process-compose.*\.ya?ml", "process-compose"),
    (r"(docker-)?compose.*\.ya?ml", "compose"),
    (r"(ecosystem|pm2|process|processes).*\.json", "pm2"),
)
_CONTENTS = (
    (r"^\s*\[(program:|supervisord\])", "supervisord"),
    (r"\A(\s*//[^\n]*\n)*\s*[\[{][\s\S]*\b[\"']?script[\"']?\s*:", "pm2"),
    (r"^[\"']?processes[\"']?\s*:", "process-compose"),
    (r"^[\"']?services[\"']?\s*:", "compose"),
)
_PROCESS = re.compile(r"[A-Za-z0-9_.-]+:[ \t]*\S.*")


def kind_of(name: str, text: str) -> str:
    """The kind of a file; raises UsageError where neither name nor content tells."""
    short = PurePath(name).name.lower()
    if re.fullmatch(r".*\.(c|m)?[jt]s", short):
        hint = f"make JSON of it: `{pm2.AS_JSON.replace('ecosystem.config.js', PurePath(name).name)}`"
        raise UsageError(f"cannot convert `{name}`", "it is a program in JavaScript, which portsup does not run", hint)
    for pattern, kind in _NAMES:
        if re.fullmatch(pattern, short):
            return kind
    for pattern, kind in _CONTENTS:
        if re.search(pattern, text[:100_000], re.MULTILINE):
            return kind
    if _is_procfile(text):
        return "procfile"
    hint = f"say what it is: `--kind {'|'.join(KINDS)}`"
    raise UsageError(f"cannot convert `{name}`", "neither its name nor its content says which program it is for", hint)


def convert(kind: str, name: str, text: str, over: Sequence[Source] = (), read: Read | None = None) -> Outcome:
    """What the file comes to; raises PortsupError where it can not be read, or nothing in it can be carried over.

    `over` are files that are laid over it, and `read` gives the text of those that it extends.
    """
    text = cleaned(text)
    try:
        if kind in _OF_YAML:
            layers = Layers(kind, read or _unread)
            outcome = _OF_YAML[kind](layers.whole([(name, text), *over]))
            outcome.left += layers.left
        elif over:
            hint = "name one file; those of compose and process-compose can be laid over each other"
            raise UsageError(f"cannot convert {len(over) + 1} files", f"there is no such thing with {kind}", hint)
        else:
            outcome = _OF_TEXT[kind](text)
    except RecursionError as error:
        raise PortsupError(f"cannot read `{name}`", "it contains itself, or is nested too deeply") from error
    _drop_empty(outcome)
    if not outcome.services:
        why = "; ".join(map(str, outcome.left[:5])) or "there is no service in it"
        more = f"; and {len(outcome.left) - 5} more" if len(outcome.left) > 5 else ""
        hint = "`portsup init` looks at the folder instead"
        raise PortsupError(f"cannot make a stack of `{name}`", why + more, hint)
    return outcome


def _is_procfile(text: str) -> bool:
    """Whether every line is `name: command`, but for comments and empty ones."""
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return bool(lines) and all(map(_PROCESS.fullmatch, lines))


def _unread(path: str) -> str:
    raise PortsupError(f"cannot read `{path}`", "only the file itself is known")


def _drop_empty(outcome: Outcome) -> None:
    """Leave out the services, probes and hooks whose program has no name unless a variable is set."""
    why = "its command names no program"
    for service in list(outcome.services):
        if _is_empty(service.fields["command"]):
            outcome.services.remove(service)
            outcome.left.append(Left(f"service `{service.name}`", why, "write the service by hand"))
        for key in ("ready", "healthcheck"):
            probe = service.fields.get(key)
            if isinstance(probe, dict) and "exec" in probe and _is_empty(probe["exec"]):
                del service.fields[key]
                service.leave("the health check", why, f"set `{key}` by hand")
        hooks = service.fields.get("hooks", {})
        for key in [key for key, command in hooks.items() if _is_empty(command)]:
            del hooks[key]
            service.leave(f"`{key}`", why, "set `hooks` by hand")


def _is_empty(command: list[str]) -> bool:
    return not command or not plain(command[0]).strip()
