"""Logs that are merged although the clock was set back while they were written."""

from pathlib import Path

import pytest

from supervisor.config.spec import LogLimits
from supervisor.logs.eras import merged, merged_to_now
from supervisor.logs.index import Stream
from supervisor.logs.line import Line
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.tail import read_last

WEB = ((100.0, "a"), (101.0, "c"), (51.0, "d"), (53.0, "f"))
API = ((100.5, "b"), (52.0, "e"))


def lines(service: str, *told: tuple[float, str]) -> list[Line]:
    return [Line(when, service, Stream.STDOUT, text) for when, text in told]


def test_what_was_written_before_the_clock_was_set_back_comes_first() -> None:
    logs = [lines("web", *WEB), lines("api", *API)]
    assert "".join(line.message for line in merged(logs)) == "abcdef"
    assert "".join(line.message for line in merged_to_now(logs, 60.0)) == "abcdef"


def test_what_is_in_the_future_was_written_before_it_was_set_back() -> None:
    logs = [lines("web", *WEB), lines("api", API[0])]
    assert "".join(line.message for line in merged_to_now(logs, 60.0)) == "abcdf"


def test_last_lines_are_ordered_however_often_it_was_set_back_before() -> None:
    web = lines("web", (900.0, "x"), (800.0, "y"), *WEB)
    assert [line.message for line in merged_to_now([web, lines("api", *API)], 60.0)][2:] == list("abcdef")


def test_each_log_keeps_its_order_where_times_differ_by_little() -> None:
    logs = [lines("web", (100.0, "a"), (99.9, "b"), (100.1, "c")), lines("api", (100.05, "d"))]
    assert "".join(line.message for line in merged(logs)) == "abdc"
    assert "".join(line.message for line in merged_to_now(logs, 200.0)) == "abdc"


@pytest.mark.parametrize("count", [None, 10, 1_000_000])
def test_the_last_lines_of_logs_are_in_the_order_in_which_they_were_written(tmp_path: Path, count: int | None) -> None:
    for service, told in (("web", WEB), ("api", API)):
        log = ServiceLog(tmp_path / f"{service}.log", LogLimits())
        for when, text in told:
            log.write("stdout", f"{text}\n".encode(), when)
        log.close()
    paths = {service: tmp_path / f"{service}.log" for service in ("web", "api")}
    assert "".join(line.message for line in read_last(paths, count)) == "abcdef"
