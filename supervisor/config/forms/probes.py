"""How a service is asked whether it is ready, and whether it is well."""


from supervisor.annotations import Any
from supervisor.config.fields import Fields, Found
from supervisor.config.forms.usual import command, texts
from supervisor.config.kinds import Form, Making, Showing
from supervisor.config.scalars import Word
from supervisor.config.secret_names import HIDDEN, is_secret_name
from supervisor.config.secrets import header_variable
from supervisor.config.spec import HealthCheck, HttpAsk, Probe, ProbeKind, Ready, ServiceSpec


def _make_ready(fields: Fields, making: Making) -> dict[str, Any]:
    has_port = bool(fields.get("pool")) or fields.is_broken("pool")
    default = Probe(ProbeKind.LISTENING if has_port else ProbeKind.STARTED)
    ready: Fields | None = fields.get("ready")
    if fields.get("one_shot"):
        return {"ready": Ready(default, 0.0 if ready is None else ready.get("timeout", 0.0))}
    if ready is None:
        return {"ready": Ready(default)}
    if ready.word:
        return {"ready": Ready(Probe(ProbeKind(ready.word)))}
    return {"ready": Ready(_probe(ready) or default, ready.get("timeout", Ready().timeout))}


def _show_ready(spec: ServiceSpec, showing: Showing) -> dict[str, Any] | None:
    if spec.one_shot:
        return {"timeout": spec.ready.timeout} if spec.ready.timeout else None
    return {**_show_probe(spec.ready.probe, showing), "timeout": spec.ready.timeout}


def _make_healthcheck(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields | None = fields.get("healthcheck")
    probe = _probe(given) if given else None
    if not given or not probe:
        return {}
    numbers = {key: value for key in ("interval", "timeout", "retries") if (value := given.get(key)) is not None}
    return {"healthcheck": HealthCheck(probe, **numbers)}


def _show_healthcheck(spec: ServiceSpec, showing: Showing) -> dict[str, Any] | None:
    check = spec.healthcheck
    if check is None:
        return None
    numbers = {"interval": check.interval, "timeout": check.timeout, "retries": check.retries}
    return {**_show_probe(check.probe, showing), **numbers}


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


def _show_probe(probe: Probe, showing: Showing) -> dict[str, Any]:
    match probe.kind:
        case ProbeKind.EXEC:
            return {probe.kind.value: command(probe.command, showing)}
        case ProbeKind.HTTP if probe.ask is not None:
            return {probe.kind.value: _show_http(probe.target, probe.ask, showing)}
        case ProbeKind.HTTP | ProbeKind.LOG:
            return {probe.kind.value: texts((probe.target,), showing)[0]}
        case _:
            return {probe.kind.value: True}


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


def _show_http(path: str, ask: HttpAsk, showing: Showing) -> dict[str, Any]:
    is_shown = {name: showing.reveal or not is_secret_name(header_variable(name)) for name, _ in ask.headers}
    data: dict[str, Any] = {
        "path": texts((path,), showing)[0],
        "method": ask.method,
        "headers": {name: value if is_shown[name] else HIDDEN for name, value in ask.headers},
        "status": [f"{each[0]}-{each[-1]}" if len(each) > 1 else each[0] for each in ask.status],
        "contains": ask.contains,
        "matches": ask.matches,
    }
    return {key: value for key, value in data.items() if value}


READY = Form(("ready",), _make_ready, _show_ready)
HEALTHCHECK = Form(("healthcheck",), _make_healthcheck, _show_healthcheck)
