"""What follows when a service ends or one that it depends on has moved, and how it is stopped."""


from supervisor.annotations import Any
from supervisor.config.fields import Fields, has_hooks
from supervisor.config.forms.usual import record, shown, signal_name
from supervisor.config.kinds import Form, Making, Section, Showing
from supervisor.config.spec import OnEnd, OnPortChange, Others, Restart, RestartPolicy, ServiceSpec, StopTo

RESTART = Form((), lambda fields, making: {}, lambda spec, showing: spec.restart_policy.restart.value)


def restart_policy(section: Section) -> Form:
    """The form of `restart_policy`, in which `restart` is as well."""

    def make(fields: Fields, making: Making) -> dict[str, Any]:
        restart = Restart(fields.get("restart", RestartPolicy().restart))
        return {"restart_policy": record(section, fields.get("restart_policy") or Fields(), restart=restart)}

    return Form(("restart_policy",), make, lambda spec, showing: shown(section, spec.restart_policy, showing))


def _make_on_end(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields | None = fields.get("on_end")
    if given is None:
        return {}
    default = given.word or Others.IGNORE
    return {"on_end": OnEnd(Others(given.get("success", default)), Others(given.get("failure", default)))}


def _show_on_end(spec: ServiceSpec, showing: Showing) -> dict[str, str]:
    return {"success": spec.on_end.success.value, "failure": spec.on_end.failure.value}


def _make_on_port_change(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields | None = fields.get("on_port_change")
    if given is None:
        return {}
    if given.word.startswith("signal:"):
        return {"on_port_change": OnPortChange("signal", int(given.word.removeprefix("signal:")))}
    if given.word:
        return {"on_port_change": OnPortChange(given.word)}
    return {"on_port_change": OnPortChange("signal", given.get("signal", 1))}


def _show_on_port_change(spec: ServiceSpec, showing: Showing) -> str | dict[str, str | int]:
    change = spec.on_port_change
    return {"signal": signal_name(change.signal)} if change.action == "signal" else change.action


def _make_stop_signal(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields = fields.get("stop_signal") or Fields()
    found: dict[str, Any] = {}
    if (number := given.get("signal")) is not None:
        found["stop_signal"] = number
    if to := given.get("to"):
        found["stop_to"] = StopTo(to)
    return found


def _show_stop_signal(spec: ServiceSpec, showing: Showing) -> str | int | dict[str, str | int]:
    number = signal_name(spec.stop_signal)
    return number if spec.stop_to is StopTo.GROUP else {"signal": number, "to": spec.stop_to.value}


def _make_hooks(fields: Fields, making: Making) -> dict[str, Any]:
    if not has_hooks(fields):
        return {}
    from supervisor.config import hooks

    return {"hooks": hooks.hooks(fields)}


def hooks(section: Section) -> Form:
    """The form of `hooks`, whose keys all are like the one of `section`."""

    def show(spec: ServiceSpec, showing: Showing) -> Any:
        return {str(hook): shown(section, each, showing) for hook, each in spec.hooks.items()} or None

    return Form(("hooks",), _make_hooks, show)


ON_END = Form(("on_end",), _make_on_end, _show_on_end)
ON_PORT_CHANGE = Form(("on_port_change",), _make_on_port_change, _show_on_port_change)
STOP_SIGNAL = Form(("stop_signal", "stop_to"), _make_stop_signal, _show_stop_signal)
