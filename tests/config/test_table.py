"""One table of keys drives reading, showing, the difference, the schema and the reference."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from supervisor.config import build, difference, load, reference, schema, show
from supervisor.config.changes import Change
from supervisor.config.forms import stack as forms
from supervisor.config.forms.usual import fields_of
from supervisor.config.keys.service import SERVICE
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Duration, Flag, Key, Named, Section, Whole
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.dataclass import dataclass, fields, replace

from .conftest import Loading

PAGE = Path(__file__).parents[2] / "docs/reference/services-yaml.md"


@dataclass(frozen=True, slots=True)
class Nap:
    """What the section that is added becomes."""

    after: float = 60.0
    is_deep: bool = False


@dataclass(frozen=True, slots=True)
class Napping(ServiceSpec):
    """A service with what the keys that are added fill."""

    nap: Nap = Nap()
    naps: int = 1
    bed: str = ""


@dataclass(frozen=True, slots=True)
class Sleepy(StackSpec):
    """A stack with what the key that is added fills."""

    beds: int = 4


NAP = Section(
    keys=(
        Key("after", Duration(1.0), "When it falls asleep.", "60s"),
        Key("deep", Flag(), "Whether it dreams.", "false", field="is_deep"),
    ),
    of=Nap,
)
ADDED = (
    Key("nap", NAP, "How the service sleeps."),
    Key("naps", Whole(1, 9), "How often it sleeps.", "1", also=("siestas",), is_live=True),
    Key("bed", next(key.kind for key in SERVICE.keys if key.name == "pid_file"), "Where it sleeps."),
)


@pytest.fixture
def wider(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table with three more keys of a service, and one of a stack; nothing else is changed."""
    service = replace(SERVICE, keys=(*SERVICE.keys, *ADDED), of=Napping)
    services = replace(STACK.keys[-1], kind=Named(service), form=forms.services(service))
    beds = Key("beds", Whole(0, 100), "How many can sleep.", "4")
    stack = replace(STACK, keys=(*STACK.keys[:-1], services, beds), of=Sleepy)
    modules: tuple[ModuleType, ...] = (build, difference, load, reference, schema, show)
    for module in modules:
        for name, table in {"SERVICE": service, "STACK": stack}.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, table)


USED = "services: {a: {command: a, nap: {after: 2m, deep: true}, naps: 3, bed: 'b{instance}'}}\nbeds: 7"


@pytest.mark.usefixtures("wider")
def test_a_key_that_is_added_to_the_table_is_read_shown_and_compared(loading: Loading) -> None:
    stack: Any = loading(USED)
    service = stack.services["a"]
    assert (service.nap, service.naps, service.bed, stack.beds) == (Nap(120.0, True), 3, "b{instance}", 7)

    shown = show.resolved(stack)
    assert shown["beds"] == 7
    assert shown["services"]["a"]["nap"] == {"after": 120.0, "deep": True}
    assert shown["services"]["a"]["naps"] == 3
    assert replace(loading(yaml.safe_dump(shown)).services["a"], line=1) == service

    found = difference.difference(stack, loading("services: {a: {command: a, naps: 3}}"))
    assert found.top == ("beds",)
    assert found.changed == (Change("a", ("nap", "bed"), restarts=True),)
    more = loading(USED.replace("naps: 3", "naps: 4"))
    assert difference.difference(stack, more).changed == (Change("a", ("naps",)),)


@pytest.mark.usefixtures("wider")
def test_a_key_that_is_added_to_the_table_is_checked_and_described(mistakes: Any) -> None:
    wrong = "services: {a: {command: a, nap: {after: 0.5}, siestas: 3, bed: '{prot}'}}\nbeds: many"
    told = "\n".join(mistakes(wrong))
    for words in (
        "nap.after: `0.5` is too small",
        "unknown key `siestas`",
        "write `naps: 3`",
        "beds: `many`",
        "{prot}",
    ):
        assert words in told, told

    described = schema.schema()
    Draft202012Validator(described).validate(yaml.safe_load(USED))
    assert not Draft202012Validator(described).is_valid({"services": {"a": {"command": "a", "naps": 10}}})

    assert set(reference.sections()) > {"nap"}
    page = reference.updated(PAGE.read_text(encoding="utf-8"))
    assert "| `naps` | 1 to 9 | `1` | How often it sleeps. |\n" in page
    assert "| `beds` | 0 to 100 | `4` | How many can sleep. |\n" in page
    assert "| `deep` | `true` or `false` | `false` | Whether it dreams. |\n" in reference.table(NAP)


def test_every_field_of_a_service_belongs_to_a_key() -> None:
    filled = {field for key in SERVICE.keys for field in fields_of(key)}
    assert filled == {each.name for each in fields(ServiceSpec)} - {"name", "line"}


@pytest.mark.parametrize("key", [key for key in SERVICE.keys if key.default], ids=lambda key: key.name)
def test_the_default_of_the_table_is_that_of_the_spec(loading: Loading, key: Key) -> None:
    service: dict[str, Any] = {"command": "a", "pool": 8000}
    plain = loading(yaml.safe_dump({"services": {"a": service}}))
    given = loading(yaml.safe_dump({"services": {"a": service | {key.name: yaml.safe_load(key.default)}}}))
    assert replace(given.services["a"], line=0) == replace(plain.services["a"], line=0)


INNER = [(outer, key) for outer in SERVICE.keys if isinstance(outer.kind, Section) for key in outer.kind.keys]


@pytest.mark.parametrize(
    ("outer", "key"),
    [pytest.param(outer, key, id=f"{outer.name}.{key.name}") for outer, key in INNER if key.default],
)
def test_the_default_inside_a_section_is_that_of_the_spec(loading: Loading, outer: Key, key: Key) -> None:
    all_needed: dict[str, dict[str, Any]] = {
        "healthcheck": {"http": "/"}, "stop_command": {"command": "a"}, "schedule": {"cron": "0 3 * * *"},
        "watch": {"paths": "."}, "stdio": {"mcp": True}, "idle_check": {"exec": "a"},
    }  # fmt: skip
    needed = all_needed.get(outer.name, {})
    kind: dict[str, Any] = {"one_shot": True} if outer.name == "schedule" else {"pool": 8000}
    kind |= {"idle_stop": "1m"} if outer.name == "idle_check" else {}
    plain = {"command": "a"} | kind | ({outer.name: needed} if needed else {})
    given = plain | {outer.name: needed | {key.name: yaml.safe_load(key.default)}}
    stacks = [loading(yaml.safe_dump({"services": {"a": each}})) for each in (plain, given)]
    first, second = (replace(stack.services["a"], line=0) for stack in stacks)
    assert first == second
