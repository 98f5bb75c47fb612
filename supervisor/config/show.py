"""A stack back as plain data in the shape of a services.yaml: every default filled in, secrets hidden."""

import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.config.secrets import (
    HIDDEN,
    header_variable,
    is_secret_name,
    masked_words,
    redact,
    redact_environment,
)
from supervisor.config.shell import syntax_among
from supervisor.config.spec import (
    HookCommand,
    HttpAsk,
    OnPortChange,
    Probe,
    ProbeKind,
    RenderedFile,
    ServiceSpec,
    StackSpec,
    StopTo,
)


def resolved(stack: StackSpec, reveal: bool = False) -> dict[str, Any]:
    """What `stack` amounts to, as mappings, lists, texts and numbers; written as YAML it loads as the same stack.

    With `reveal` secrets are shown.  Durations are in seconds, sizes in bytes.
    """
    data = {
        "name": stack.name,
        "instances": {"stride": stack.stride},
        "ports": {"strict": stack.strict_ports},
        "render": [_rendered(file, reveal) for file in stack.render],
        "services": {name: _service(service, stack, reveal) for name, service in stack.services.items()},
    }
    if not reveal and stack.filled:
        data = _masked(data, "", stack.filled)
    shown: dict[str, Any] = _texts(data, frozenset() if reveal else stack.secrets)
    return shown


def _masked(data: Any, path: str, filled: Mapping[str, frozenset[str]]) -> Any:
    """The data without the secrets that were filled in where they are not looked for everywhere."""
    match data:
        case dict():
            return {key: _masked(value, f"{path}.{key}" if path else key, filled) for key, value in data.items()}
        case list():
            return [_masked(value, f"{path}[{number}]", filled) for number, value in enumerate(data)]
        case str():
            plain = path.replace(".command[", "[") if ".hooks." in path or ".stop_command." in path else path
            return redact(data, filled.get(plain, ()))
    return data


def _rendered(file: RenderedFile, reveal: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"template": str(file.template), "to": str(file.to)}
    if file.on_change is not None and file.on_change.command:
        shown["on_change"] = {
            "command": _command(file.on_change.command, reveal),
            "timeout": file.on_change.timeout,
        }
    elif file.on_change is not None:
        shown["on_change"] = {
            "signal": {"service": file.on_change.service, "signal": _signal(file.on_change.signal)},
        }
    return shown


def _service(service: ServiceSpec, stack: StackSpec, reveal: bool) -> dict[str, Any]:
    policy = service.restart_policy
    environment = dict(service.environment)
    data: dict[str, Any] = {
        "description": service.description,
        "command": _command(service.command, reveal),
        "pool": list(service.pool),
        "port_env": service.port_env,
        "fetch_url": service.fetch_url,
        "environment": environment if reveal else redact_environment(environment, stack.secrets),
        "working_dir": str(service.working_dir),
        "stdin": service.stdin.value,
        "depends_on": {
            name: {"condition": condition.value, **({"restart": True} if name in service.restarts_with else {})}
            for name, condition in service.depends_on.items()
        },
        "profiles": list(service.profiles),
        "autostart": service.autostart,
        "one_shot": service.one_shot,
        "ready": {**_probe(service.ready.probe, reveal), "timeout": service.ready.timeout},
        "healthcheck": None,
        "restart": policy.restart.value,
        "success_exit_codes": sorted(service.success_exit_codes),
        "on_end": {"success": service.on_end.success.value, "failure": service.on_end.failure.value},
        "restart_policy": {
            "delay": policy.delay,
            "factor": policy.factor,
            "max_delay": policy.max_delay,
            "max_restarts": "infinite" if policy.is_endless else policy.max_restarts,
            "period": policy.period,
        },
        "hooks": {str(hook): _hook(each, reveal) for hook, each in service.hooks.items()} or None,
        "stop_command": _hook(service.stop_command, reveal) if service.stop_command else None,
        "stop_signal": _stop_signal(service),
        "stop_grace_period": service.stop_grace_period,
        "pid_file": service.pid_file,
        "handoff": service.handoff.value,
        "bind": service.bind.value,
        "watchdog": service.watchdog or None,
        "notify_socket": service.notify_socket.value,
        "rotate_after": service.rotate_after,
        "quarantine": service.quarantine,
        "on_port_change": _on_port_change(service.on_port_change),
        "user": service.user,
        "group": service.group,
        "umask": None if service.umask is None else f"{service.umask:03o}",
        "memory_limit": service.memory_limit or None,
        "limits": dict(service.limits),
        "logging": {
            "max_size": service.logging.max_size,
            "backups": service.logging.backups,
            "redact": service.logging.redact,
        },
    }
    if service.healthcheck:
        check = service.healthcheck
        data["healthcheck"] = {
            **_probe(check.probe, reveal),
            "interval": check.interval,
            "timeout": check.timeout,
            "retries": check.retries,
        }
    if service.one_shot:
        data["ready"] = {"timeout": service.ready.timeout} if service.ready.timeout else None
    if not service.pool:
        del data["pool"], data["port_env"]
    return {key: value for key, value in data.items() if value not in ("", None)}


def _http(path: str, ask: HttpAsk, reveal: bool) -> dict[str, Any]:
    is_shown = {name: reveal or not is_secret_name(header_variable(name)) for name, _ in ask.headers}
    data: dict[str, Any] = {
        "path": _words((path,), reveal)[0],
        "method": ask.method,
        "headers": {name: value if is_shown[name] else HIDDEN for name, value in ask.headers},
        "status": [f"{each[0]}-{each[-1]}" if len(each) > 1 else each[0] for each in ask.status],
        "contains": ask.contains,
        "matches": ask.matches,
    }
    return {key: value for key, value in data.items() if value}


def _probe(probe: Probe, reveal: bool) -> dict[str, Any]:
    match probe.kind:
        case ProbeKind.EXEC:
            return {probe.kind.value: _command(probe.command, reveal)}
        case ProbeKind.HTTP if probe.ask is not None:
            return {probe.kind.value: _http(probe.target, probe.ask, reveal)}
        case ProbeKind.HTTP | ProbeKind.LOG:
            return {probe.kind.value: _words((probe.target,), reveal)[0]}
        case _:
            return {probe.kind.value: True}


def _hook(hook: HookCommand, reveal: bool) -> dict[str, Any]:
    return {"command": _command(hook.command, reveal), "timeout": hook.timeout}


def _command(words: Sequence[str], reveal: bool) -> list[str] | str:
    """A list; a text with quotes where words look like shell syntax, as that would be a mistake in a list."""
    shown = _words(words, reveal)
    if syntax_among(words, words) is None:
        return shown
    from supervisor.config.rewriting import literal

    return literal(shown)


def _words(words: Sequence[str], reveal: bool) -> list[str]:
    return list(words) if reveal else masked_words(words)


def _on_port_change(change: OnPortChange) -> str | dict[str, str | int]:
    return {"signal": _signal(change.signal)} if change.action == "signal" else change.action


def _stop_signal(service: ServiceSpec) -> str | int | dict[str, str | int]:
    number = _signal(service.stop_signal)
    return number if service.stop_to is StopTo.GROUP else {"signal": number, "to": service.stop_to.value}


def _signal(number: int) -> str | int:
    try:
        return signal.Signals(number).name
    except ValueError:
        return number  # a real-time signal without a name


def _texts(data: Any, secrets: frozenset[str]) -> Any:
    """The data with secrets hidden in every text, and with `$` written so that it stays one when it is read again."""
    match data:
        case dict():
            return {key: _texts(value, secrets) for key, value in data.items()}
        case list():
            return [_texts(value, secrets) for value in data]
        case str():
            return re.sub(r"\$(?=[{$])", "$$", redact(data, secrets))
        case _:
            return data
