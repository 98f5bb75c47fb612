"""What there is to see of one service: how it is configured, where that stands, its environment without secrets."""

from collections.abc import Mapping
from pathlib import Path

from supervisor.api.launch import Launch, launches
from supervisor.api.project import Project
from supervisor.api.values import line_of
from supervisor.config.key_places import places
from supervisor.config.secrets import hidden
from supervisor.config.show import resolved
from supervisor.config.spec import StackSpec
from supervisor.control.status import needs_in
from supervisor.core import journal
from supervisor.core.order import levels
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError
from supervisor.words import answers
from supervisor.words.events import of_last_run


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of a service.

    key: its name
    value: what holds, as plain data, secrets hidden
    file: where it is written; empty for a default
    line: in that file, from 1 on; 0 for a default
    """

    key: str
    value: object
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment; `is_hidden` where its value holds a secret, which `value` does not."""

    name: str
    value: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Need:
    """That a service needs another one, and how far that must have come."""

    service: str
    needs: str
    condition: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Which service needs which; `levels` are the steps of the start."""

    levels: tuple[tuple[str, ...], ...]
    needs: tuple[Need, ...]


def settings_of(project: Project, service: str) -> list[Setting]:
    """All that holds for a service, by services.yaml as it is now; raises NotFound, or ConfigError for its mistakes."""
    spec = project.spec()
    if service not in spec.services:
        raise answers.not_written(service)
    written = places(map(Path, (*spec.others, spec.file, *spec.over)))
    found = []
    for key, value in resolved(spec)["services"][service].items():
        file, line = written.get(f"services.{service}.{key}", ("", 0))
        found.append(Setting(key, value, file, line))
    return sorted(found, key=lambda each: (not each.line, each.line))


def environment_of(project: Project, service: str) -> list[Variable]:
    """The environment of a running service; empty where nothing runs."""
    try:
        answer = project.stack().environment(service)
    except PortsupError:
        return []
    masked = hidden(answer.environment, set(answer.secret))
    return [
        Variable(name, masked.get(name, value), name in masked) for name, value in sorted(answer.environment.items())
    ]


def graph_of(project: Project) -> Graph:
    """Which service needs which, by services.yaml as it is now; raises ConfigError for mistakes in it."""
    return graph_in(project.spec())


def graph_in(stack: StackSpec) -> Graph:
    """The same of a stack that was read."""
    services = stack.services
    needs = [Need(name, need, str(how)) for name, spec in services.items() for need, how in spec.depends_on.items()]
    return Graph(levels({name: tuple(spec.depends_on) for name, spec in services.items()}), tuple(needs))


def needs_of(project: Project) -> dict[str, tuple[str, ...]]:
    """By service what it depends on, as services.yaml says now; empty where that has mistakes."""
    try:
        return {name: tuple(spec.depends_on) for name, spec in project.spec().services.items()}
    except PortsupError:
        return {}


def last_start(project: Project) -> list[Launch]:
    """The starts of the last run, out of its journal; raises ConfigError where nothing runs and the file is wrong."""
    told = of_last_run([line_of(each) for each in project.history(count=100_000).events])
    needs: Mapping[str, Mapping[str, str]]
    try:
        needs = needs_in(project.stack().status())
    except PortsupError:
        services = project.spec().services
        needs = {name: {need: str(how) for need, how in spec.depends_on.items()} for name, spec in services.items()}
    return launches(told, needs) if told and told[0]["event"] == journal.InstanceStarts.event else []
