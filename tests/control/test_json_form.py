"""Messages of the control protocol as JSON objects and back, and what is said of an object that is none of them."""

import dataclasses
import inspect
import json
import re
from typing import Optional

import pytest

from supervisor.control import messages, progress, requests, updates
from supervisor.control import status as of_services
from supervisor.control.json_form import Misfit, as_json, line_of, read, reader_of
from supervisor.control.messages import Event, Resources, Usage
from supervisor.control.progress import Changed, Changes, Outcome, Progress, Reason
from supervisor.control.status import PortStatus, SecondProcess, ServiceRow, ServiceStatus, StackStatus
from supervisor.dataclass import fields
from tests.support.fake_daemon import NODE, row, status

MESSAGES = [
    each
    for module in (messages, of_services, progress, requests, updates)
    for _, each in inspect.getmembers(module, inspect.isclass)
    if each.__module__ == module.__name__ and dataclasses.is_dataclass(each)
]


def test_a_status_comes_back_as_it_was_told() -> None:
    told = read(StackStatus, status(row("web", beside={"pid": 7, "state": "starting"}), warnings=("old",)))
    again = read(StackStatus, json.loads(json.dumps(as_json(told))))
    assert again == told
    assert again.services[0].pool[2] == PortStatus(6002, "taken", "held by `node` (pid 77, user ada)", NODE)
    assert again.services[0].beside == SecondProcess(7, "starting")


def test_every_key_is_told_also_where_there_is_nothing_but_a_line_leaves_that_out() -> None:
    assert as_json(Progress(progress="web: stopped")) == {
        "progress": "web: stopped", "waiting": None, "difference": None, "results": None, "end": None,
    }  # fmt: skip
    assert line_of(Progress(results=(Outcome("web", True, "stopped"),), end=True)) == {
        "results": [{"name": "web", "ok": True, "words": "stopped", "internal_error": False}],
        "end": True,
    }
    assert line_of(Progress(difference=Changes(("a",), (), (Changed("b", ("env",), True),)))) == {
        "difference": {
            "added": ["a"], "removed": [], "changed": [{"name": "b", "keys": ["env"], "restarts": True}], "top": [],
        }
    }  # fmt: skip


def test_what_is_null_is_read_as_nothing() -> None:
    told = {"a": None, "b": {"cpu_s": 1.5, "memory": 2, "processes": 1, "listens": []}}
    assert read(Usage, {"resources": told}).resources == {"a": None, "b": Resources(1.5, 2, 1, ())}


def test_a_message_that_may_be_missing_is_read_also_where_unions_have_an_origin() -> None:
    """As all have it since Python 3.14."""
    assert reader_of(Optional[PortStatus])(None) is None  # noqa: UP045
    assert reader_of(Optional[PortStatus])({"port": 1, "state": "spare"}).port == 1  # noqa: UP045


def test_an_event_keeps_the_facts_that_are_no_key_of_every_event() -> None:
    told = {"time": "t", "seq": 3, "level": "info", "event": "service ready", "service": "web", "port": 1}
    event = read(Event, told)
    assert event == Event("t", 3, "info", "service ready", "web", None, {"port": 1})
    assert line_of(event) == told


def test_keys_of_a_newer_portsup_are_left_alone_and_those_of_an_older_one_may_be_missing() -> None:
    newer = read(ServiceStatus, row("web", tomorrow="more"))
    assert newer == read(ServiceStatus, row("web"))
    assert (newer.reached, newer.rotations) == ("none", None)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], "a StackStatus is an object, not list"),
        (None, "a StackStatus is an object, not null"),
        ({"stack": "shop", "instance": 1}, "a StackStatus has no `services`"),
        ({"stack": "shop", "instance": 1, "services": {}}, "`services`: it is a list, not dict"),
        ({"stack": "shop", "instance": 1, "services": [7]}, "`services`: a ServiceStatus is an object, not int"),
        ({"stack": "s", "instance": 1, "services": [{"name": "a"}]}, "`services`: a ServiceStatus has no `instance`"),
    ],
)
def test_what_is_another_object_is_refused_with_the_key_that_is_wrong(told: object, why: str) -> None:
    with pytest.raises(Misfit, match=f"^{re.escape(why)}$"):
        read(StackStatus, told)


def test_mistakes_in_a_file_are_lists_of_text_and_numbers() -> None:
    told = {"what": "w", "problems": [["services.yaml", 1, 2, "words", ""]]}
    assert as_json(read(Reason, told))["problems"] == told["problems"]


@pytest.mark.parametrize("message", MESSAGES, ids=[each.__name__ for each in MESSAGES])
def test_every_key_of_a_message_is_explained(message: type) -> None:
    told = re.findall(r"^ *([a-z_]+): \S", message.__doc__ or "", re.MULTILINE)
    inherited = {each.name for each in fields(ServiceRow)} if message is ServiceStatus else set()
    assert set(told) | inherited == {each.name for each in fields(message)} - {getattr(message, "REST", None)}


def test_programs_may_take_them_for_dataclasses_of_the_standard_library() -> None:
    web = read(ServiceStatus, row("web"))
    assert dataclasses.is_dataclass(web)
    assert dataclasses.asdict(web)["pool"][0] == {"port": 6000, "state": "active", "holder": "", "cause": None}
    assert [each.name for each in dataclasses.fields(web)] == [each.name for each in fields(web)]
    assert dataclasses.replace(web, state="failed").state == "failed"
