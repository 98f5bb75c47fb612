"""What a stack is on a cluster: one part a service, as plain data that travels.  Pure."""

import os
import re
from collections.abc import Collection, Mapping
from typing import Any

from supervisor.config.forms import usual
from supervisor.config.keys.service import SERVICE
from supervisor.config.kinds import Showing
from supervisor.config.spec import OnEnd, ServiceSpec, StackSpec
from supervisor.core.order import levels, with_dependencies
from supervisor.core.placement import Timing
from supervisor.words import cluster as words

_NAMED = re.compile(r"\{(?:port|url):([\w.-]+)\}")


def plan(stack: StackSpec, instance: int, chosen: Collection[str], version: str) -> dict[str, Any]:
    """Everything that registry, keepers and agents have to know; `chosen` are asked for, and what they need."""
    graph = {name: tuple(spec.depends_on) for name, spec in stack.services.items()}
    wanted = with_dependencies(graph, chosen)
    order = [name for level in levels(graph) for name in level if name in wanted]
    check(stack, order)
    return {
        "stack": stack.name,
        "instance": instance,
        "stride": stack.stride,
        "strict": stack.strict_ports,
        "version": version,
        "folder": str(stack.directory),
        "lease": stack.lease,
        "grace": stack.lost_grace,
        "order": order,
        "services": {name: part(stack, stack.services[name], wanted) for name in order},
        "render": [rendered(stack, number) for number in range(len(stack.render))],
    }


def part(stack: StackSpec, spec: ServiceSpec, wanted: Collection[str]) -> dict[str, Any]:
    """What the keeper of one service has to know; `config` is its services.yaml, without the services that it needs."""
    data = usual.shown(SERVICE, spec, Showing(reveal=True))
    for key in ("depends_on", "profiles", "autostart", "place", "expose", "fetch_url", "on_port_change"):
        data.pop(key, None)
    data["working_dir"] = inside(os.fspath(spec.working_dir), stack)
    others = {
        name: {"command": ["true"], "autostart": False, "pool": list(other.pool)}
        if other.pool else {"command": ["true"], "autostart": False}
        for name, other in stack.services.items() if name != spec.name
    }  # fmt: skip
    return {
        "name": spec.name,
        "config": literal({"services": {spec.name: data, **others}}),
        "pool": list(spec.pool),
        "expose": spec.expose,
        "place": placed(spec),
        "needs": {name: str(how) for name, how in spec.depends_on.items() if name in wanted},
        "restarts_with": sorted(spec.restarts_with),
        "on_port_change": [spec.on_port_change.action, spec.on_port_change.signal],
        "one_shot": spec.one_shot,
    }


def placed(spec: ServiceSpec) -> dict[str, Any]:
    """Its `place` as plain data."""
    place = spec.place
    return {
        "cpus": place.cpus, "gpus": place.gpus, "labels": dict(place.labels), "node": place.node, "spread": place.spread
    }  # fmt: skip


def rendered(stack: StackSpec, number: int) -> dict[str, Any]:
    """A file that the agent of each node keeps current there."""
    file = stack.render[number]
    change = file.on_change
    return {
        "to": inside(os.fspath(file.to), stack),
        "text": file.text,
        "command": [] if change is None else list(change.command),
        "timeout": 10.0 if change is None else change.timeout,
        "service": "" if change is None else change.service,
        "signal": 0 if change is None else change.signal,
    }


def inside(path: str, stack: StackSpec) -> str:
    """A path of the project relative to its folder, which is elsewhere on each node; any other as it is."""
    relative = os.path.relpath(path, stack.directory)
    return path if relative.startswith("..") else relative


def literal(data: Any) -> Any:
    """The data with `$` written so that it stays one when it is read again."""
    match data:
        case dict():
            return {key: literal(value) for key, value in data.items()}
        case list() | tuple():
            return [literal(value) for value in data]
        case str():
            return re.sub(r"\$(?=[{$])", "$$", data)
    return data


def without_effect(stack: StackSpec, names: Collection[str]) -> dict[str, list[str]]:
    """Keys that change nothing on a cluster, with the services that say them; none for those of the stack."""
    found: dict[str, list[str]] = {key: [] for key in ("budget", "notify", "names") if getattr(stack, key) is not None}
    for name in names:
        spec = stack.services[name]
        says = {
            "on_end": spec.on_end != OnEnd(),
            "watch": spec.watch is not None and all(_is_inside(path, stack) for path in spec.watch.paths),
            "fetch_url": spec.fetch_url != "",
        }
        for key in (key for key, is_said in says.items() if is_said):
            found.setdefault(key, []).append(name)
    return found


def _is_inside(path: str | os.PathLike[str], stack: StackSpec) -> bool:
    return not inside(os.path.join(stack.directory, path), stack).startswith("/")


def check(stack: StackSpec, names: Collection[str]) -> None:
    """Raises PortsupError for what cannot be kept on several machines."""
    timing = Timing(stack.lease, stack.lost_grace)
    if not timing.is_kept:
        raise words.lease_too_short(timing.lease, timing.grace, timing.least)
    for name in names:
        spec = stack.services[name]
        for other in sorted({*spec.depends_on, *mentioned(spec)} & stack.services.keys() - {name}):
            server = stack.services[other]
            is_near = spec.place.node != "" and spec.place.node == server.place.node
            if server.pool and not server.expose and not is_near:
                raise words.not_exposed(name, other)


def mentioned(spec: ServiceSpec) -> set[str]:
    """The services whose addresses it is started with."""
    texts = [*spec.command, *spec.environment.values()]
    return {name for text in texts for name in _NAMED.findall(text)}


def local_stack(plan: Mapping[str, Any], name: str) -> str:
    """The name of the stack that runs one service on its node."""
    return f"{plan['stack']}.{name}"


def config_of(plan: Mapping[str, Any], name: str, folder: str, host: str, epoch: int) -> dict[str, Any]:
    """The services.yaml of one service on a node where the project is in `folder`.

    `host` is where it listens: the address of the node, or "" for the loopback.
    """
    part = plan["services"][name]
    config = {"name": local_stack(plan, name), "instances": {"stride": plan["stride"]}, **part["config"]}
    if plan["strict"]:
        config["ports"] = {"strict": True}
    data = dict(config["services"][name])
    data["working_dir"] = os.path.join(folder, data["working_dir"])
    data["environment"] = {**data.get("environment", {}), "PORTSUP_EPOCH": str(epoch)}
    if host:
        data = _with_host(data, host)
        data["environment"].setdefault("HOST", host)
    return {**config, "services": {**config["services"], name: data}}


def _with_host(data: Any, host: str) -> Any:
    match data:
        case dict():
            return {key: _with_host(value, host) for key, value in data.items()}
        case list():
            return [_with_host(value, host) for value in data]
        case str():
            return re.sub(r"(?<!\{)\{host\}(?!\})", host, data)
    return data
