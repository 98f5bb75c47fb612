"""Commands whose program has no name unless a variable is set: the variable is demanded, or the command is left out."""

import re
import shlex
from typing import Any

from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.reconcile import plain

_WITHOUT_DEFAULT = re.compile(r"(?<!\$)((?:\$\$)*)\$\{([A-Za-z_]\w*):?-\}", re.ASCII)
_WHY = "its command names no program"


def settle(outcome: Outcome) -> None:
    """Demand the variables that name a program, and leave out the services, probes and hooks that have none."""
    for service in list(outcome.services):
        _demand(service)
        if _is_empty(service.fields["command"]):
            outcome.services.remove(service)
            outcome.left.append(Left(f"service `{service.name}`", _WHY, "write the service by hand"))
        for key in ("ready", "healthcheck"):
            probe = service.fields.get(key)
            if isinstance(probe, dict) and "exec" in probe and _is_empty(probe["exec"]):
                del service.fields[key]
                service.leave("the health check", _WHY, f"set `{key}` by hand")
        if "stop_command" in service.fields and _is_empty(service.fields["stop_command"]):
            del service.fields["stop_command"]
            service.leave("`stop_command`", _WHY, "set it by hand")
        hooks = service.fields.get("hooks", {})
        for key in [key for key, command in hooks.items() if _is_empty(command)]:
            del hooks[key]
            service.leave(f"`{key}`", _WHY, "set `hooks` by hand")


def _demand(service: Draft) -> None:
    fields = service.fields
    for key in ("command", "stop_command"):
        if key in fields:
            fields[key] = _demanding(fields[key])
    for key in ("ready", "healthcheck"):
        if isinstance(probe := fields.get(key), dict) and "exec" in probe:
            fields[key] = {**probe, "exec": _demanding(probe["exec"])}
    hooks = fields.get("hooks", {})
    for key, hook in hooks.items():
        hooks[key] = {**hook, "command": _demanding(hook["command"])} if isinstance(hook, dict) else _demanding(hook)


def _demanding(command: Any) -> Any:
    """The command with the variable that names its program as one that has to be set."""
    if not command or not _is_empty(command):
        return command
    first = command[0] if isinstance(command, list) else command
    if not isinstance(first, Filled):
        return command
    named = Filled(_WITHOUT_DEFAULT.sub(r"\1${\2:?it names the program}", first, count=1))
    return [named, *command[1:]] if isinstance(command, list) else named


def _is_empty(command: list[str] | str | dict[str, Any]) -> bool:
    if isinstance(command, dict):
        return _is_empty(command["command"])
    if not isinstance(command, str):
        return not command or not plain(command[0]).strip()
    text = plain(command)
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return not words or not words[0].strip()
