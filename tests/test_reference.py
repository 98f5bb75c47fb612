"""What the reference says of events, requests and answers is what the code says."""

import ast
import json
import re
import runpy
from pathlib import Path

import pytest

from supervisor.control import schema
from supervisor.core import journal, reasons
from supervisor.core.reasons import facts_of
from supervisor.words.reasons import text_of
from tests.support.source import PACKAGE, nodes, source_files

ROOT = Path(__file__).parents[1]
MADE: dict[Path, str] = runpy.run_path(str(ROOT / ".ci/reference.py"))["made"]()
CATALOGUE = PACKAGE / "core/journal"


@pytest.mark.parametrize("path", MADE, ids=[path.name for path in MADE])
def test_what_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == MADE[path], "`python .ci/reference.py` writes it anew"


@pytest.mark.parametrize("kind", journal.ALL, ids=[each.event for each in journal.ALL])
def test_every_fact_of_an_event_is_explained(kind: type[journal.Event]) -> None:
    told = re.findall(r"`([a-z_]+)`", kind.__doc__ or "")
    own = [name for name in kind.types() if name not in ("service", "replica", "state", "cause")]
    quiet = {"port", "pid", "why"} if issubclass(kind, journal.OfState) else set()  # of states on the way, said once
    assert set(own) - set(told) - quiet == set()


def test_names_of_events_stand_in_the_catalogue_only() -> None:
    wrong = []
    for path in source_files("supervisor"):
        if CATALOGUE in path.parents:
            continue
        for node in nodes(path, ast.Constant):
            if node.value in journal.BY_NAME and " " in str(node.value):
                wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value!r}")
    assert wrong == []


def test_every_event_of_the_catalogue_is_told_by_somebody() -> None:
    used = set[str]()
    for path in source_files("supervisor"):
        if CATALOGUE in path.parents:
            continue
        used |= {node.attr for node in nodes(path, ast.Attribute)} | {node.id for node in nodes(path, ast.Name)}
    assert {each.__name__ for each in journal.ALL} - used == set()


def test_an_event_takes_its_facts_and_no_others() -> None:
    with pytest.raises(TypeError, match="PortMoved needs `port`"):
        journal.PortMoved(service="web", to=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="PortMoved has no fact `form`"):
        journal.PortMoved(service="web", port=2, to=1, form=3)  # type: ignore[call-arg]
    moved = journal.PortMoved(service="web", port=2, to=None)
    assert moved.facts == {"service": "web", "port": 2, "to": None}
    assert moved == journal.PortMoved(service="web", port=2, to=None)
    assert journal.MainTold(service="web", pid=7).facts == {"service": "web", "pid": 7}, "no reason is given"


def test_events_and_lines_fit_their_schemas() -> None:
    jsonschema, jsonschema_rs = map(pytest.importorskip, ("jsonschema", "jsonschema_rs"))
    ready = journal.ServiceReady(service="web", state="running", port=1, pid=2, took=0.5)
    line = {"time": "2026-03-01T09:30:00Z", "seq": 1, "level": ready.level, "event": ready.event, **ready.facts}
    events, control = schema.events(), schema.control()
    for made in (events, control):
        jsonschema_rs.meta.validate(made)
    of_events, of_lines = map(jsonschema.Draft202012Validator, (events, control))
    assert of_events.is_valid(line)
    assert not of_events.is_valid({**line, "port": "one"})
    assert of_lines.is_valid({"v": 1, "do": "stop", "services": ["web"], "timeout": None})
    assert not of_lines.is_valid({"v": 1, "do": "halt"})


def test_every_reason_has_its_words_and_fits_into_json() -> None:
    samples = {
        int: 7, str: "stop", float: 2.5, bool: True, tuple[str, ...]: ("web",), tuple[int, ...]: (7, 8),
        reasons.Cause: "GET / answered 503",
        reasons.Reason: reasons.EndedBySignal(9), tuple[reasons.LostNeed, ...]: (reasons.LostNeed("db", "failed"),),
    }  # fmt: skip
    for kind in reasons.Reason.__subclasses__():
        made = kind(**{name: samples[each] for name, each in kind.types().items()})
        if kind is not reasons.LostNeed:  # it is told of within another one
            assert text_of(made)
        assert json.loads(json.dumps(facts_of(made)))["kind"] == kind.kind_of()
    assert facts_of(reasons.AfterRestarts(reasons.BeforeReady(reasons.EndedWithCode(3)), 5)) == {
        "kind": "after-restarts", "restarts": 5,
        "last": {"kind": "before-ready", "end": {"kind": "ended-with-code", "code": 3}},
    }  # fmt: skip
