"""Makes the types of `spec` out of validated fields; what the file leaves out gets the defaults of `spec`."""

from collections.abc import Callable, Mapping

from supervisor.annotations import Any
from supervisor.config.fields import EnvFile, Fields, Found
from supervisor.config.forms import usual
from supervisor.config.keys.service import SERVICE
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Making
from supervisor.config.report import Report
from supervisor.config.secrets import secret_values
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.config.tree import Position

EnvReader = Callable[[EnvFile], Mapping[str, str]]
Lookup = Callable[[str], str | None]


def service(name: str, fields: Fields, place: Position, making: Making) -> ServiceSpec:
    """One service; the environment in `making` has been put together by `variables`."""
    of: type[ServiceSpec] = SERVICE.of or ServiceSpec
    return of(name=name, line=place.line, **usual.made(SERVICE, fields, making))


def stack(fields: Fields, making: Making, **more: Any) -> StackSpec:
    """A whole stack; `more` are the fields that no key tells alone."""
    of: type[StackSpec] = STACK.of or StackSpec
    return of(**usual.made(STACK, fields, making), **more)


def variables(fields: Fields, read: EnvReader, lookup: Lookup, report: Report, where: str) -> dict[str, str]:
    """The environment of a service: its files in order, then its own variables, whose secrets go to the report."""
    environment: dict[str, str] = {}
    for file in fields.get("env_file", ()):
        environment.update(read(file))
    own: dict[str, Found] = fields.get("environment", {})
    for name, item in own.items():
        value = lookup(name) if item.value is None else item.value.text
        if value is None:
            reason = "has no value here or outside: portsup does not set it"
            report.warn(item.key, f"{where}.environment: `{name}` {reason}")
        else:
            environment[name] = value
            report.hide(secret_values(name, value), item.place, f"{where}.environment.{name}")
    return environment
