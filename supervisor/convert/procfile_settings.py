"""How a Procfile is run: what `.foreman`, and the variables of overmind in `.overmind.env` and `.env`, say about it."""

from collections.abc import Mapping
from typing import Any

from supervisor.config.foreign import from_yaml
from supervisor.convert import copies
from supervisor.convert.around import Around
from supervisor.convert.draft import Outcome
from supervisor.convert.own_port import is_number
from supervisor.convert.values import duration, is_true, mapping, seconds, whole
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError

STEP = 100  # from the port of one line to that of the next


@dataclass(slots=True)
class Settings:
    """What is set; names are those of lines."""

    base: int = 0  # the port of the first line, where it is set
    step: int = STEP
    grace: str = ""  # as services.yaml writes it
    env_files: list[str] = field(default_factory=list)
    formation: dict[str, int] = field(default_factory=dict)  # how many processes of each line; `all` of each other one
    may_end: set[str] = field(default_factory=set)  # lines whose end does not end the others; `all` for each
    restarts: set[str] = field(default_factory=set)  # lines that are restarted whenever they end
    ignored: set[str] = field(default_factory=set)  # lines that are not started
    why: str = ""  # who says so

    def apply(self, outcome: Outcome) -> None:
        """Give the services what is set for them."""
        for service in outcome.services:
            name = service.name
            ends_all = "on_end" in service.fields
            if self.grace and ends_all:
                service.fields["stop_grace_period"] = self.grace
            if {name, "all"} & self.may_end and ends_all:
                del service.fields["on_end"]
            if {name, "all"} & self.restarts and ends_all:
                service.fields.pop("on_end", None)
                service.fields |= {"restart": "always", "restart_policy": {"max_restarts": "infinite"}}
            if name in self.ignored or (self.formation and not self._number(name)):
                service.fields["autostart"] = False
                service.notes.append(f"{self.why} does not start it: `portsup start {name}` does")
        copies.spread(outcome, {each.name: self._number(each.name) for each in outcome.services})

    def _number(self, name: str) -> int:
        return self.formation.get(name, self.formation.get("all", 0 if self.formation else 1))


def read(around: Around, variables: Mapping[str, str]) -> Settings:
    """What the files beside a Procfile say; `variables` are those of the files of variables."""
    if any(name.startswith("OVERMIND_") for name in variables):
        return _of_overmind(variables)
    try:
        given = mapping(from_yaml(around.read(".foreman"), ".foreman"))
    except PortsupError:
        return Settings()
    return _of_foreman(given)


def _of_foreman(given: Mapping[str, Any]) -> Settings:
    settings = Settings(why="`.foreman`")
    settings.formation = _formation(given.get("formation") or given.get("concurrency") or "")
    if is_number(str(given.get("port", ""))):
        settings.base = int(given["port"])
    if (grace := seconds(given.get("timeout", ""))) is not None:
        settings.grace = duration(grace)
    settings.env_files = _listed(str(given.get("env") or ""))
    return settings


def _of_overmind(given: Mapping[str, str]) -> Settings:
    settings = Settings(why="overmind")
    settings.formation = _formation(given.get("OVERMIND_FORMATION", ""))
    settings.step = whole(given.get("OVERMIND_PORT_STEP", ""), 1, 10000) or STEP
    if (grace := seconds(given.get("OVERMIND_TIMEOUT", ""))) is not None:
        settings.grace = duration(grace)
    settings.env_files = [name.removeprefix("./") for name in _listed(given.get("OVERMIND_ENV", ""))]
    settings.may_end = set(_listed(given.get("OVERMIND_CAN_DIE", "")))
    if is_true(given.get("OVERMIND_ANY_CAN_DIE", "")):
        settings.may_end.add("all")
    settings.restarts = set(_listed(given.get("OVERMIND_AUTO_RESTART", "")))
    settings.ignored = set(_listed(given.get("OVERMIND_IGNORED_PROCESSES", "")))
    return settings


def _formation(told: Any) -> dict[str, int]:
    """`web=1,worker=2`; foreman takes a mapping too."""
    listed = (each.partition("=")[::2] for each in _listed(str(told)))
    pairs = mapping(told).items() if isinstance(told, dict) else listed
    return {name.strip(): number for name, count in pairs if (number := whole(count, 0, 1000)) is not None}


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
