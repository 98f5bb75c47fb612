"""A compose.yaml, compose-spec: one container a service, in which the program itself runs."""

from collections.abc import Mapping
from typing import Any

from supervisor.config.dump import as_document
from supervisor.config.forms.usual import signal_name
from supervisor.config.spec import Condition, ProbeKind, ServiceSpec, StackSpec, Stdin
from supervisor.core.address import LOOPBACK
from supervisor.core.restart import Restart
from supervisor.core.state import Hook
from supervisor.export import asking
from supervisor.export.addresses import EVERYWHERE, Addresses
from supervisor.export.alone import inside
from supervisor.export.model import Export, File, Secret, Wishes
from supervisor.export.veil import MARK, Veiled, parts

NAME = "compose.yaml"
CONDITIONS = {
    Condition.STARTED: "service_started",
    Condition.LISTENING: "service_healthy",
    Condition.READY: "service_healthy",
    Condition.COMPLETED: "service_completed_successfully",
    Condition.COMPLETED_OK: "service_completed_successfully",
}
ULIMITS = {
    "nofile": "nofile", "nproc": "nproc", "cpu_time": "cpu", "file_size": "fsize", "core": "core", "stack": "stack",
    "memlock": "memlock",
}  # fmt: skip


def export(stack: StackSpec, hidden: Veiled, selected: tuple[str, ...], wishes: Wishes) -> Export:
    """The file of a stack."""
    addresses = Addresses.of(hidden.services, lambda name: name)
    checks = {name: check_of(spec, addresses) for name, spec in hidden.services.items()}
    lines = [as_document({"name": stack.name}), "services:"]
    for number, (name, spec) in enumerate(hidden.services.items()):
        data = _service(stack, spec, hidden, addresses, checks, wishes)
        text = as_document({name: data}).splitlines()
        lines += [""] * bool(number) + [f"  {line}" if line else "" for line in text]
    secrets = tuple(each for found in hidden.secrets.values() for each in found)
    needed = sorted({secret.key for secret in secrets if secret.needed})
    steps = [f"set {', '.join(needed)} in `.env` next to {NAME}"] if needed else []
    return Export((File(NAME, "\n".join(lines) + "\n"),), (), secrets, (*steps, "docker compose up -d"))


def check_of(spec: ServiceSpec, addresses: Addresses) -> list[str] | None:
    """What decides whether a container is healthy: what makes the service ready, as others wait for that."""
    given = asking.command(spec.ready.probe, spec, addresses) if not spec.one_shot else None
    if spec.healthcheck is not None and (given is None or spec.ready.probe.kind is ProbeKind.LISTENING):
        return asking.command(spec.healthcheck.probe, spec, addresses) or given
    return given


def _service(
    stack: StackSpec, spec: ServiceSpec, hidden: Veiled, addresses: Addresses,
    checks: Mapping[str, list[str] | None], wishes: Wishes,
) -> dict[str, Any]:  # fmt: skip
    keys = {secret.name: secret for secret in hidden.secrets[spec.name]}
    host = spec.environment.get("HOST", EVERYWHERE) if spec.pool else LOOPBACK
    host = EVERYWHERE if host in (LOOPBACK, "localhost") and spec.pool else host

    def written(text: str, is_where_it_listens: bool = False) -> str:
        return _written(addresses.filled(text, spec, host if is_where_it_listens else LOOPBACK), keys)

    def command(words: tuple[str, ...]) -> list[str]:
        return [written(each, True) for each in words]

    data: dict[str, Any] = {"image": wishes.image, "entrypoint": [], "command": command(spec.command)}
    data["working_dir"] = inside(spec.working_dir, stack, wishes)
    own = {spec.port_env: str(spec.pool[0]), "HOST": host} if spec.pool else {}
    told = {"PORTSUP_SERVICE": spec.name, "PORTSUP_INSTANCE": "1", "PYTHONUNBUFFERED": "1", **own}
    told |= {name: written(value, True) for name, value in spec.environment.items()}
    # For what a shell fills in by itself, in checks.
    told |= {name: written(f"{MARK}{name}{MARK}") for name in keys if name not in spec.environment}
    data["environment"] = {**told, **own, **addresses.variables(spec)}
    if spec.pool:
        shared = spec.environment.get("HOST") in (EVERYWHERE, "::")
        data["ports"] = [f"{'' if shared else f'{LOOPBACK}:'}{spec.pool[0]}:{spec.pool[0]}"]
    if spec.depends_on:
        data["depends_on"] = {
            need: _need(spec, need, how, checks[need] is not None) for need, how in spec.depends_on.items()
        }
    if (check := checks[spec.name]) is not None:
        data["healthcheck"] = _health(spec, [_written(word, keys) for word in check])
    data["restart"] = _restart(spec)
    data |= _process(spec, written)
    return data


def _need(spec: ServiceSpec, need: str, how: Condition, is_checked: bool) -> dict[str, Any]:
    condition = CONDITIONS[how]
    if condition == "service_healthy" and not is_checked:
        condition = "service_started"
    return {"condition": condition, **({"restart": True} if need in spec.restarts_with else {})}


def _health(spec: ServiceSpec, check: list[str]) -> dict[str, Any]:
    health = spec.healthcheck
    return {
        "test": ["CMD", *check],
        "interval": span(health.interval if health else 10.0),
        "timeout": span(max(health.timeout if health else 2.0, 2.0)),
        "retries": health.retries if health else 3,
        "start_period": span(spec.ready.timeout or 3600.0),
        "start_interval": "1s",
    }


def _restart(spec: ServiceSpec) -> str:
    policy = spec.restart_policy
    match policy.restart:
        case Restart.NEVER:
            return "no"
        case Restart.ON_FAILURE:
            return "on-failure" if policy.is_endless else f"on-failure:{int(policy.max_restarts)}"
        case Restart.ALWAYS:
            return "always"


def _process(spec: ServiceSpec, written: Any) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if spec.profiles:
        data["profiles"] = list(spec.profiles)
    if not spec.autostart or spec.schedule is not None:
        data["scale"] = 0
    elif spec.replicas > 1 and not spec.pool:
        data["scale"] = spec.replicas
    hooks = spec.all_hooks
    # A signal follows here, too: the first process of the container is what compose stops.
    before = [hooks[point] for point in (Hook.PRE_STOP, Hook.STOP_COMMAND) if point in hooks]
    for key, found in (("post_start", [hooks[h] for h in (Hook.POST_START,) if h in hooks]), ("pre_stop", before)):
        if found:
            data[key] = [{"command": [written(word) for word in hook.command]} for hook in found]
    data["init"] = True  # signals that the program has no handler for do nothing to the first process, signal(7)
    data["stop_signal"] = str(signal_name(spec.stop_signal))
    data["stop_grace_period"] = span(spec.stop_grace_period)
    if spec.stdin is Stdin.OPEN:
        data["stdin_open"] = True
    if spec.user or spec.group:
        data["user"] = f"{spec.user or 0}:{spec.group}" if spec.group else spec.user
    if spec.memory_limit:
        data["mem_limit"] = f"{spec.memory_limit}b"
    if limits := {ULIMITS[name]: value for name, value in spec.limits.items() if name in ULIMITS}:
        data["ulimits"] = limits
    kept = spec.logging
    data["logging"] = {
        "driver": "json-file",
        "options": {"max-size": str(kept.max_size), "max-file": str(kept.backups + 1)},
    }
    return data


def span(seconds: float) -> str:
    """A time as compose writes it, in whole milliseconds at the least."""
    return f"{seconds:.0f}s" if seconds.is_integer() else f"{round(seconds * 1000)}ms"


def _written(text: str, keys: Mapping[str, Secret]) -> str:
    """The text with `$` for compose, which fills in secrets from its own environment."""
    found = []
    for piece, is_name in parts(text):
        if is_name:
            secret = keys[piece]
            found.append(f"${{{secret.key}:{'?is not set' if secret.needed else '-'}}}")
        else:
            found.append(piece.replace("$", "$$"))
    return "".join(found)
