"""What a service runs: its ports, variables, folder, dependencies and limits."""

import math

from supervisor.annotations import Any
from supervisor.config.fields import BROKEN, Fields, Found, Needed
from supervisor.config.forms.usual import plain
from supervisor.config.kinds import Form, Making, Shape, Showing
from supervisor.config.secrets import redact_environment
from supervisor.config.spec import Condition, ServiceSpec
from supervisor.config.values import absolute
from supervisor.core.limits import UNLIMITED
from supervisor.core.restart import INFINITE
from supervisor.core.stdin import Stdin

# For keys whose value is used up before the spec is made of the others.
NOT_KEPT = Form((), lambda fields, making: {}, lambda spec, showing: None)


def _make_command(fields: Fields, making: Making) -> dict[str, Any]:
    return {"command": tuple(word.text for word in fields.get("command", ()))}


def _make_port_env(fields: Fields, making: Making) -> dict[str, Any]:
    return {"port_env": given} if (given := fields.get("port_env")) else {}


def _make_environment(fields: Fields, making: Making) -> dict[str, Any]:
    return {"environment": making.environment or {}}


def _show_environment(spec: ServiceSpec, showing: Showing) -> dict[str, str]:
    environment = dict(spec.environment)
    return environment if showing.reveal else redact_environment(environment, showing.secrets)


def _make_working_dir(fields: Fields, making: Making) -> dict[str, Any]:
    return {"working_dir": absolute(making.directory, fields.get("working_dir", "."), making.home)}


def conditions(fields: Fields) -> dict[str, Condition]:
    """The services to wait for; a condition that could not be read is `ready`."""
    found: dict[str, Found] = fields.get("depends_on", {})
    return {name: Condition.READY if item.value is BROKEN else Condition(item.value) for name, item in found.items()}


def _make_depends_on(fields: Fields, making: Making) -> dict[str, Any]:
    found: dict[str, Needed] = fields.get("depends_on", {})
    restarts_with = frozenset(name for name, item in found.items() if item.restart)
    return {"depends_on": conditions(fields), "restarts_with": restarts_with}


def _show_depends_on(spec: ServiceSpec, showing: Showing) -> dict[str, dict[str, Any]]:
    return {
        name: {"condition": condition.value, **({"restart": True} if name in spec.restarts_with else {})}
        for name, condition in spec.depends_on.items()
    }


def _make_success_exit_codes(fields: Fields, making: Making) -> dict[str, Any]:
    return {"success_exit_codes": fields.get("success_exit_codes", frozenset()) | {0}}


def _make_stdin(fields: Fields, making: Making) -> dict[str, Any]:
    return {"stdin": Stdin(given)} if (given := fields.get("stdin")) else {}


def _make_umask(fields: Fields, making: Making) -> dict[str, Any]:
    return {"umask": int(fields.get("umask"), 8)} if fields.get("umask") else {}


def _make_limits(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields = fields.get("limits") or Fields()
    found = {name: given.get(name) for name in given.found}
    return {"limits": {name: _limit(value) for name, value in found.items() if value is not None}}


def _limit(value: float) -> int:
    return UNLIMITED if value == INFINITE else math.ceil(value)


def _show_limits(spec: ServiceSpec, showing: Showing) -> dict[str, Any]:
    return {name: "unlimited" if value == UNLIMITED else value for name, value in spec.limits.items()}


COMMAND = Form(("command",), _make_command, lambda spec, showing: plain(Shape.COMMAND, spec.command, showing))
POOL = Form(
    ("pool",), lambda fields, making: {"pool": fields.get("pool", ())}, lambda spec, showing: list(spec.pool) or None
)
PORT_ENV = Form(("port_env",), _make_port_env, lambda spec, showing: spec.port_env if spec.pool else None)
ENVIRONMENT = Form(("environment",), _make_environment, _show_environment)
WORKING_DIR = Form(("working_dir",), _make_working_dir, lambda spec, showing: str(spec.working_dir))
DEPENDS_ON = Form(("depends_on", "restarts_with"), _make_depends_on, _show_depends_on)
SUCCESS_EXIT_CODES = Form(
    ("success_exit_codes",), _make_success_exit_codes, lambda spec, showing: sorted(spec.success_exit_codes)
)
# With `stdio` it is what clients say.
STDIN = Form(("stdin",), _make_stdin, lambda spec, showing: None if spec.stdio else spec.stdin.value)
UMASK = Form(("umask",), _make_umask, lambda spec, showing: None if spec.umask is None else f"{spec.umask:03o}")
LIMITS = Form(("limits",), _make_limits, _show_limits)
