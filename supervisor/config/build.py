"""Makes the types of `spec` out of validated fields; what the fields leave out gets the defaults of `spec`."""

import math
import os.path
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from supervisor.config.fields import BROKEN, EnvFile, Fields, Found, Needed, has_hooks
from supervisor.config.report import Report
from supervisor.config.scalars import Word
from supervisor.config.secrets import secret_values
from supervisor.config.spec import (
    BindMode,
    Condition,
    HandoffMode,
    HealthCheck,
    HttpAsk,
    LogLimits,
    NotifySocketKind,
    OnEnd,
    OnPortChange,
    Others,
    Probe,
    ProbeKind,
    Ready,
    Restart,
    RestartPolicy,
    ServiceSpec,
    Stdin,
    StopTo,
)
from supervisor.config.tree import Place

EnvReader = Callable[[EnvFile], Mapping[str, str]]
Lookup = Callable[[str], str | None]


def service(
    name: str, fields: Fields, place: Place, directory: Path, environment: Mapping[str, str], home: str
) -> ServiceSpec:
    """One service; the environment has been put together by `variables`."""
    pool = fields.get("pool", ())
    return ServiceSpec(
        name=name,
        command=tuple(word.text for word in fields.get("command", ())),
        pool=pool,
        description=fields.get("description", ""),
        port_env=fields.get("port_env", "PORT"),
        fetch_url=address.text if (address := fields.get("fetch_url")) else "",
        environment=environment,
        working_dir=absolute(directory, fields.get("working_dir", "."), home),
        depends_on=conditions(fields),
        restarts_with=_restarts_with(fields),
        profiles=fields.get("profiles", ()),
        autostart=fields.get("autostart", True),
        one_shot=fields.get("one_shot", False),
        ready=_ready(fields, has_port=bool(pool) or fields.is_broken("pool")),
        healthcheck=_healthcheck(fields.get("healthcheck")),
        success_exit_codes=fields.get("success_exit_codes", frozenset()) | {0},
        on_end=_on_end(fields.get("on_end")),
        restart_policy=_restart_policy(fields),
        **_hooks(fields),
        **_stop_signal(fields.get("stop_signal")),
        stdin=Stdin(fields.get("stdin", Stdin.NULL)),
        stop_grace_period=fields.get("stop_grace_period", 10.0),
        pid_file=fields.get("pid_file").text if fields.get("pid_file") else "",
        handoff=HandoffMode(fields.get("handoff", HandoffMode.AUTO)),
        bind=BindMode(fields.get("bind", BindMode.REPORT)),
        watchdog=fields.get("watchdog", 0.0),
        notify_socket=NotifySocketKind(fields.get("notify_socket", NotifySocketKind.AUTO)),
        rotate_after=fields.get("rotate_after", 3),
        quarantine=fields.get("quarantine", 60.0),
        on_port_change=_on_port_change(fields.get("on_port_change")),
        user=fields.get("user", ""),
        group=fields.get("group", ""),
        umask=int(fields.get("umask"), 8) if fields.get("umask") else None,
        limits=_limits(fields.get("limits")),
        memory_limit=fields.get("memory_limit", 0),
        logging=_logging(fields.get("logging")),
        line=place.line,
    )


def conditions(fields: Fields) -> dict[str, Condition]:
    """The services to wait for; a condition that could not be read is `ready`."""
    found: dict[str, Found] = fields.get("depends_on", {})
    return {name: Condition.READY if item.value is BROKEN else Condition(item.value) for name, item in found.items()}


def _restarts_with(fields: Fields) -> frozenset[str]:
    found: dict[str, Needed] = fields.get("depends_on", {})
    return frozenset(name for name, item in found.items() if item.restart)


def variables(fields: Fields, read: EnvReader, lookup: Lookup, report: Report, where: str) -> dict[str, str]:
    """The environment of a service: its files in order, then its own variables, whose secrets go to the report."""
    environment: dict[str, str] = {}
    for file in fields.get("env_file", ()):
        environment.update(read(file))
    own: dict[str, Found] = fields.get("environment", {})
    for name, item in own.items():
        value = lookup(name) if item.value is None else item.value.text
        if value is None:
            report.warn(item.key, f"{where}.environment: `{name}` has no value and is not set outside, it is left out")
        else:
            environment[name] = value
            report.hide(secret_values(name, value), item.place, f"{where}.environment.{name}")
    return environment


def absolute(directory: Path, path: str, home: str) -> Path:
    """`path` as seen from the folder of services.yaml; `~` is the home folder."""
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return Path(os.path.normpath(directory / path))


def _ready(fields: Fields, *, has_port: bool) -> Ready:
    default = Probe(ProbeKind.LISTENING if has_port else ProbeKind.STARTED)
    ready: Fields | None = fields.get("ready")
    if fields.get("one_shot"):
        return Ready(default, 0.0 if ready is None else ready.get("timeout", 0.0))
    if ready is None:
        return Ready(default)
    if ready.word:
        return Ready(Probe(ProbeKind(ready.word)))
    return Ready(_probe(ready) or default, ready.get("timeout", Ready().timeout))


def _probe(fields: Fields) -> Probe | None:
    for kind in ProbeKind:
        value = fields.get(kind.value)
        if isinstance(value, Word):
            return Probe(kind, target=value.text)
        if isinstance(value, Fields):
            return Probe(kind, target=value.get("path").text if value.get("path") else "", ask=_http(value))
        if isinstance(value, tuple):
            return Probe(kind, command=tuple(word.text for word in value))
        if value is not None:
            return Probe(kind)
    return None


def _http(fields: Fields) -> HttpAsk:
    """What the mapping says beyond a path."""
    pattern: Word | None = fields.get("matches")
    own: dict[str, Found] = fields.get("headers", {})
    return HttpAsk(
        method=fields.get("method", "GET"),
        headers=tuple((name, item.value.text) for name, item in own.items()),
        status=fields.get("status", ()),
        contains=fields.get("contains", ""),
        matches=pattern.text if pattern else "",
    )


def _healthcheck(fields: Fields | None) -> HealthCheck | None:
    probe = _probe(fields) if fields else None
    if not fields or not probe:
        return None
    return HealthCheck(probe, fields.get("interval", 10.0), fields.get("timeout", 2.0), fields.get("retries", 3))


def _restart_policy(fields: Fields) -> RestartPolicy:
    restart = Restart(fields.get("restart", Restart.ON_FAILURE))
    policy: Fields = fields.get("restart_policy") or Fields()
    return RestartPolicy(
        restart,
        delay=policy.get("delay", 0.5),
        factor=policy.get("factor", 2.0),
        max_delay=policy.get("max_delay", 30.0),
        max_restarts=policy.get("max_restarts", 10),
        period=policy.get("period", 60.0),
    )


def _on_end(fields: Fields | None) -> OnEnd:
    if fields is None:
        return OnEnd()
    default = fields.word or Others.IGNORE
    return OnEnd(Others(fields.get("success", default)), Others(fields.get("failure", default)))


def _on_port_change(fields: Fields | None) -> OnPortChange:
    if fields is None:
        return OnPortChange()
    if fields.word.startswith("signal:"):
        return OnPortChange("signal", int(fields.word.removeprefix("signal:")))
    if fields.word:
        return OnPortChange(fields.word)
    return OnPortChange("signal", fields.get("signal", 1))


def _hooks(fields: Fields) -> dict[str, Any]:
    if not has_hooks(fields):
        return {}
    from supervisor.config import hooks

    return {"hooks": hooks.hooks(fields), "stop_command": hooks.command(fields.get("stop_command"))}


def _stop_signal(fields: Fields | None) -> dict[str, Any]:
    given = fields or Fields()
    return {"stop_signal": given.get("signal", 15), "stop_to": StopTo(given.get("to", StopTo.GROUP))}


def _limits(fields: Fields | None) -> dict[str, int]:
    found = {name: fields.get(name) for name in fields.found} if fields else {}
    return {name: math.ceil(value) for name, value in found.items() if value is not None}


def _logging(fields: Fields | None) -> LogLimits:
    if fields is None:
        return LogLimits()
    usual = LogLimits()
    return LogLimits(
        fields.get("max_size", usual.max_size), fields.get("backups", usual.backups), fields.get("redact", usual.redact)
    )
