"""Services that have an engine of containers run something: its daemon binds their ports, which no pool may hold."""

import re
from typing import Any

from supervisor.convert.draft import Draft

_STARTS = re.compile(
    r"\s*(?:(?:exec|sudo|env|\w+=\S*)\s+)*(?:docker|podman|nerdctl)(?:-compose|\s+compose)?\s(?:.*\s)?(?:run|up|start)(?:\s|$)",
    re.ASCII | re.DOTALL,
)
_PROBES = ("ready", "healthcheck")
_CHECKS = ("http", "tcp")


def set_apart(service: Draft) -> None:
    """Leave a service without a pool whose last command is `docker run`, `docker compose up` and the like."""
    command = service.fields.get("command", ())
    text = command if isinstance(command, str) else str(command[-1]) if _is_shell(command) else " ".join(command)
    if not service.has_pool or "stdio" in service.fields:
        return
    if not _STARTS.match(re.split(r"&&|\|\||[;\n]", text.strip().rstrip(";"))[-1]):
        return
    number = str((service.ports or service.inner or ("",))[0])
    asks = any(isinstance(probe := service.fields.get(key), dict) and set(_CHECKS) & probe.keys() for key in _PROBES)
    if not number and asks:
        return  # nobody knows which port to ask
    service.has_pool = False
    if isinstance(command, list):
        service.fields["command"] = [type(word)(word.replace("{port}", number)) for word in command]
    else:
        service.fields["command"] = type(command)(command.replace("{port}", number))
    for key in _PROBES:
        if isinstance(probe := service.fields.get(key), dict):
            service.fields[key] = _asked(probe, number)
    if number and service.gets_port:
        service.environment.setdefault("PORT", number)
    service.notes.append("its ports are bound by who runs its containers, so it has no pool")


def _is_shell(command: list[str]) -> bool:
    return len(command) == 3 and bool(re.fullmatch(r"-\w*c", command[1]))


def _asked(probe: dict[str, Any], number: str) -> dict[str, Any]:
    """A check of the pool's port as a command, which asks the port that stays."""
    rest = {key: value for key, value in probe.items() if key not in _CHECKS}
    if probe.get("tcp"):
        return {"exec": ["bash", "-c", f": </dev/tcp/127.0.0.1/{number}"], **rest}
    if told := probe.get("http"):
        path = told if isinstance(told, str) else str(told.get("path") or "/")
        return {"exec": ["curl", "-fsS", "-o", "/dev/null", f"http://127.0.0.1:{number}{path}"], **rest}
    return probe
