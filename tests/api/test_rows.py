"""What every window shows of a service, by the rows that the daemon tells."""

import re
from typing import Any

import pytest

from supervisor.api.rows import (
    ON_DARK,
    ON_LIGHT,
    PLAIN_SHAPES,
    SHAPES,
    Look,
    look_of,
    needed_by,
    ordered,
    waits,
    why_of_row,
    word_of,
)
from supervisor.control.json_form import read
from supervisor.control.status import ServiceStatus
from tests.support.fake_daemon import row


def told(name: str = "web", **facts: Any) -> ServiceStatus:
    return read(ServiceStatus, row(name, **facts))


@pytest.mark.parametrize(
    ("facts", "look", "word"),
    [
        ({}, Look.READY, "running"),
        ({"health": "unhealthy"}, Look.UNHEALTHY, "unhealthy"),
        ({"state": "idle"}, Look.IDLE, "idle"),
        ({"state": "stopped"}, Look.STOPPED, "stopped"),
        ({"state": "waiting"}, Look.STARTING, "waiting"),
        ({"state": "terminating"}, Look.STARTING, "terminating"),
        ({"state": "backoff"}, Look.UNHEALTHY, "backoff"),
        ({"state": "exited", "exit_code": 0, "is_done": True}, Look.STOPPED, "done"),
        ({"state": "exited", "exit_code": 3}, Look.FAILED, "exited"),
        ({"state": "failed"}, Look.FAILED, "failed"),
    ],
)
def test_a_state_has_a_look_and_a_word(facts: dict[str, Any], look: Look, word: str) -> None:
    assert (look_of(told(**facts)), word_of(told(**facts))) == (look, word)


def test_the_broken_come_first_and_then_each_behind_what_it_needs() -> None:
    rows = [told("web"), told("db"), told("api"), told("job", state="failed"), told("old", health="unhealthy")]
    needs = {"web": {"api"}, "api": {"db"}, "job": {"web"}}
    assert [each.name for each in ordered(rows, needs)] == ["old", "job", "db", "api", "web"]
    assert [each.name for each in ordered(rows, {"web": {"api"}, "api": {"web"}})] == ["job", "old", "web", "db", "api"]


def test_who_loses_what_it_needs_is_named_through_others() -> None:
    needs = {"db": (), "api": ("db",), "web": ("api",), "job": ("web", "db"), "alone": ()}
    assert needed_by(["db"], needs) == ["api", "web", "job"]
    assert needed_by(["api", "web"], needs) == ["job"]
    assert needed_by(["alone"], needs) == []


def test_the_reason_is_one_line() -> None:
    assert why_of_row(told(reason="exit code 3\nand more")) == "exit code 3 and more"
    rolling = told(beside={"pid": 5, "state": "starting"})
    assert why_of_row(rolling) == "rolling restart: pid 5 starts, pid 4121 still serves"
    assert why_of_row(told(state="acquiring", port=None)) == "port 6002 is held by `node` (pid 77, user ada)"
    assert why_of_row(told(status_text="serves")) == "serves"
    assert why_of_row(told()) == ""


@pytest.mark.parametrize(
    ("colors", "backgrounds"), [(ON_DARK, ["#16181d", "#1f232b"]), (ON_LIGHT, ["#ffffff", "#f1f3f6"])]
)
def test_a_colour_can_be_read(colors: dict[Look, str], backgrounds: list[str]) -> None:
    for look in Look:
        for background in backgrounds:
            assert contrast(colors[look], background) >= 4.5, look


def test_shapes_differ_with_and_without_unicode() -> None:
    for shapes in (SHAPES, PLAIN_SHAPES):
        assert len({shapes[look] for look in Look}) == len(Look)
    assert all(shape.isascii() for shape in PLAIN_SHAPES.values())


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2 counts it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(each, 16) / 255 for each in re.findall(r"[0-9a-f]{2}", color)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_service_that_waits_says_for_whom() -> None:
    needs = {"web": ("db", "api", "job", "gone")}
    web, db, api = told("web", state="waiting"), told("db"), told("api", state="backoff")
    job = told("job", state="exited", one_shot=True, is_done=True)
    assert waits(web, needs, {each.name: each for each in (db, api, job, web)}) == "waits for api"
    runs = told("job", one_shot=True)
    assert waits(web, needs, {each.name: each for each in (db, runs, web)}) == "waits for job"
    assert waits(told("web"), needs, {"api": api}) == ""
