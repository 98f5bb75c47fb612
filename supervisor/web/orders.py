"""What the page can have done: each order step by step, and "done" only once the state that was asked for is there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from supervisor.api.machine import left_over, remove_left_over
from supervisor.api.project import Project
from supervisor.api.values import Outcome, as_json, line_of
from supervisor.errors import PortsupError, UsageError
from supervisor.words import leftovers

Told = dict[str, Any]
Given = Mapping[str, Any]
_LINES = 20  # of what a service printed that could not be brought where it should be
_SERVICES: Mapping[str, dict[str, Any]] = {
    "start": {}, "stop": {}, "restart": {}, "rolling": {"rolling": True}, "kill": {"signal": 9},
}  # fmt: skip


def carry_out(project: Project, given: Given) -> Iterator[Told]:
    """The steps of an order as plain data, the last one with `end`, `ok`, and in `results` how it went.

    Raises PortsupError for an order that is none, or that the stack refuses.
    """
    what = str(given.get("do"))
    if what in _SERVICES:
        names = _names(given)
        order = "restart" if what == "rolling" else what
        yield from _followed(project, order, services=names, **_SERVICES[what])
    elif what == "rotate":
        yield from _followed(project, "rotate", service=_names(given)[0])
    elif what == "down":
        yield from _followed(project, "down")
    elif what == "reload":
        yield from _followed(project, "reload", dry_run=given.get("dry_run") is True or None)
    elif what in _ALONE:
        yield from _ALONE[what](project, given)
    else:
        raise UsageError("cannot do that", f"there is no order {what[:40]!r}")


def _names(given: Given) -> list[str]:
    """The services of an order; never nothing, which would mean all of them."""
    names = given.get("services")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError("cannot do that", "`services` is a list of names, and not empty")
    return names


def _followed(project: Project, order: str, **how: Any) -> Iterator[Told]:
    results: list[Outcome] = []
    for step in project.stack().progress(order, **how):
        results += step.results or ()
        if told := line_of(step):
            yield told | {"end": False}
    wrong = [each for each in results if not each.ok]
    yield _end(not wrong, results=[as_json(each) for each in results], last_lines=_last_lines(project, wrong))


def _last_lines(project: Project, wrong: list[Outcome]) -> dict[str, list[str]]:
    """What those printed last that are not where they should be."""
    told = {}
    for each in wrong:
        try:
            told[each.name] = list(project.why(each.name, failures=1, lines=_LINES).output)
        except PortsupError:
            continue
    return told


def _up(project: Project, _: Given) -> Iterator[Told]:
    yield {"progress": "starting the stack", "end": False}
    came = project.up()
    yield _end(came.ok, words=came.words)


def _prune(_: Project, given: Given) -> Iterator[Told]:
    if given.get("dry_run") is True:
        yield _end(True, left=as_json(left_over()))
        return
    forgotten = remove_left_over()
    yield _end(True, words=leftovers.cleaned(forgotten))


def _end(ok: bool, **told: Any) -> Told:
    return {"end": True, "ok": ok, **told}


_ALONE: Mapping[str, Callable[[Project, Given], Iterator[Told]]] = {"up": _up, "prune": _prune}
