"""Logs and events of an instance, for programs, whether it runs or not."""

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from supervisor import Stack
from supervisor.api.history import events_of, why_of
from supervisor.api.log_search import search_logs
from supervisor.api.project import Project
from supervisor.api.values import LogPage, LogQuery
from supervisor.config.spec import LogLimits
from supervisor.errors import ConfigError, NotFound, PortsupError, UsageError
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.state_dir import instance_directory
from tests.support.fake_daemon import FakeDaemon, row, status


@pytest.fixture
def folder(own_folders: Path) -> Path:
    """Where instance 1 of `shop` keeps what its services printed."""
    folder = Path(instance_directory("shop", 1))
    folder.mkdir(parents=True)
    for name, lines in {"web": "a\nERROR: x\nb\n", "api": "x1\nx2\n"}.items():
        log = ServiceLog(folder / f"{name}.log", LogLimits())
        log.write("stdout", lines.encode(), 100.0 if name == "web" else 101.0)
        log.close()
    return folder


def messages(page: LogPage) -> list[str]:
    return [each.message for each in page.lines]


def test_lines_are_found_with_what_is_around_them(folder: Path) -> None:
    page = search_logs(str(folder), ["web", "api"], LogQuery(grep="X", ignore_case=True, context=1))
    assert messages(page) == ["a", "ERROR: x", "b", "x1", "x2"]
    assert [each.is_match for each in page.lines] == [False, True, False, True, True]
    assert [each.goes_on for each in page.lines] == [False, True, True, False, True]
    assert (page.lines[1].time, page.lines[1].service) == ("1970-01-01T00:01:40.000Z", "web")


def test_a_later_search_goes_on_where_one_ended(folder: Path) -> None:
    page = search_logs(str(folder), ["web", "api"], LogQuery(count=1))
    assert messages(page) == ["b", "x2"]
    (folder / "web.log").open("a").write("c\n")
    later = search_logs(str(folder), ["web", "api"], LogQuery(cursor=page.cursor))
    assert messages(later) == ["c"]
    assert messages(search_logs(str(folder), ["web", "api"], LogQuery(cursor=later.cursor))) == []
    with pytest.raises(UsageError, match="no cursor"):
        search_logs(str(folder), ["web"], LogQuery(cursor="web@1.2"))


@pytest.mark.live  # a process
def test_another_thread_has_a_process_search_for_it(folder: Path) -> None:
    found: list[object] = []

    def search() -> None:
        found.append(search_logs(str(folder), ["web"], LogQuery(level="error")))
        for grep in ("a(", "(b+)+$"):
            try:
                search_logs(str(folder), ["web"], LogQuery(grep=grep))
            except UsageError as error:
                found.append(error.why)

    (folder / "web.log").open("a").write("b" * 60 + "!\n")
    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    page, nonsense, slow = found
    assert isinstance(page, LogPage)
    assert messages(page) == ["ERROR: x"]
    assert "`a(` is no regular expression" in str(nonsense)
    assert "takes too long on one of the lines" in str(slow)


@pytest.mark.live  # a unix socket
def test_a_running_stack_is_searched_by_its_name(folder: Path, own_folders: Path) -> None:
    answers = {"ping": [{"ok": True, "stack": "shop", "instance": 1}], "status": [status(row("web"))]}
    with FakeDaemon(own_folders / "t.sock", answers):
        assert messages(Stack(own_folders / "t.sock").search(query=LogQuery(grep="x"))) == ["ERROR: x"]


def told(second: int, event: str, **facts: object) -> str:
    time = f"2026-03-01T09:30:{second:02}.5Z"
    return json.dumps({"time": time, "seq": second, "level": "info", "event": event, **facts}) + "\n"


def test_events_come_page_by_page(folder: Path) -> None:
    journal = folder / "portsup.log"
    journal.write_text("".join(told(each, "service ready", service="web" if each % 2 else "api") for each in range(9)))
    first = events_of(str(folder), ["web"], count=2)
    assert [each.seq for each in first.events] == [5, 7]
    assert events_of(str(folder), cursor=first.cursor).events == ()
    journal.open("a").write("".join(told(each, "service exited", service="web") for each in range(9, 13)))
    second = events_of(str(folder), ["web"], cursor=first.cursor, count=3)
    assert [each.seq for each in second.events] == [9, 10, 11]
    assert [each.seq for each in events_of(str(folder), cursor=second.cursor).events] == [12]
    with pytest.raises(UsageError, match="no cursor"):
        events_of(str(folder), cursor="yesterday")


def test_events_go_on_behind_a_cursor_also_where_the_clock_was_set_back(folder: Path) -> None:
    journal = folder / "portsup.log"
    journal.write_text("".join(told(each, "service ready", service="web") for each in (30, 31, 32)))
    cursor = events_of(str(folder)).cursor
    journal.open("a").write("".join(told(each, "service exited", service="web") for each in (10, 11)))
    assert [each.seq for each in events_of(str(folder), cursor=cursor).events] == [10, 11]
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[3:], told(33, "service ready")]))  # rotation has taken the one of the cursor
    assert [each.seq for each in events_of(str(folder), cursor=cursor).events] == [33]


def test_a_failure_is_told_with_what_it_printed_and_what_to_do(folder: Path) -> None:
    (folder / "portsup.log").write_text(
        '{"time": "1970-01-01T00:00:01Z", "level": "info", "event": "instance starts"}\n'
        '{"time": "1970-01-01T00:00:02Z", "level": "info", "event": "service spawned", "service": "web", "pid": 7}\n'
        '{"time": "1970-01-01T00:02:00Z", "level": "error", "event": "service failed", "service": "web",'
        ' "result": "exit-code", "why": "exit code 3", "words": "look at it"}\n'
    )
    why = why_of(str(folder), "web", "failed")
    assert (why.failures, [each.event for each in why.chapters[0]]) == (1, ["service spawned", "service failed"])
    assert why.output == ("a", "ERROR: x", "b")
    assert why.advice == ("look at it",)
    assert why_of(str(folder), "api", None).failures == 0
    for failures, chapters in ((0, 0), (1, 1), (10**30, 1), (-1, 1)):
        why = why_of(str(folder), "web", "failed", failures=failures)
        assert (why.failures, len(why.chapters), why.advice) == (1, chapters, ("look at it",))


def test_a_project_that_does_not_run_has_logs_and_reasons(folder: Path, own_folders: Path) -> None:
    project = Project(own_folders)
    with pytest.raises(ConfigError):
        project.services()
    (own_folders / "services.yaml").write_text("name: shop\nservices: {web: {command: [sleep, '9']}}\n")
    assert project.running() is None
    with pytest.raises(NotFound):
        project.stack()
    assert messages(project.search(query=LogQuery(level="error"))) == ["ERROR: x"]
    assert project.why("web").failures == 0
    with pytest.raises(NotFound, match="cannot explain `api`"):
        project.why("api")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_log_that_cannot_be_opened_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("supervisor.logs.part.open_file", fail)
    with pytest.raises(PortsupError, match=r"cannot search the logs: \w+"):
        search_logs(str(folder), ["web"])
