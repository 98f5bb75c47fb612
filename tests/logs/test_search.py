"""The search, held against what a plain look at every line finds."""

import itertools
import os
import random
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from supervisor.config.spec import LogLimits
from supervisor.logs import blocks, sought
from supervisor.logs.part import LogPosition
from supervisor.logs.query import make_query
from supervisor.logs.search import Search
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.sought import Span
from supervisor.logs.starts import last_starts
from tests.support.budget import budget

X = make_query("x")


def found(folder: Path, span: Span = Span(), context: int = 0, query: object = X, names: str = "web") -> list[str]:  # noqa: B008
    """What a search gives: lines, those around matches in brackets, `--` for gaps."""
    paths = {name: folder / f"{name}.log" for name in names.split()}
    told: list[str] = []
    with Search(paths, query, span, context) as search:  # type: ignore[arg-type]
        for group in search.groups():
            if context and told and not group.goes_on:
                told.append("--")
            told += [each.line.message if each.is_match else f"({each.line.message})" for each in group.lines]
    return told


def write(folder: Path, lines: list[str], limits: LogLimits = LogLimits(), name: str = "web") -> None:  # noqa: B008
    log = ServiceLog(folder / f"{name}.log", limits)
    for number, line in enumerate(lines):
        log.write("stdout", f"{line}\n".encode(), float(number))
    log.close()


def plain(lines: list[str], count: int | None, context: int) -> list[str]:
    """The same by looking at all lines at once."""
    matches = [number for number, line in enumerate(lines) if "x" in line]
    matches = matches if count is None else matches[max(0, len(matches) - count) :]
    shown = sorted(
        {near for each in matches for near in range(each - context, each + context + 1)} & set(range(len(lines)))
    )
    told: list[str] = []
    for before, number in zip([None, *shown], shown, strict=False):
        if context and before is not None and number > before + 1:
            told.append("--")
        told.append(lines[number] if number in matches else f"({lines[number]})")
    return told


@pytest.mark.parametrize("seed", range(budget(6, 300)))
def test_it_finds_what_a_look_at_every_line_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(blocks, "SIZE", chance.choice([64, 100, 1 << 18]))
    often = chance.choice([0.02, 0.2, 0.9])
    lines = [
        f"{number}{'x' * (chance.random() < often)}{'ä' * chance.randrange(20)}"
        for number in range(chance.randrange(150))
    ]
    write(tmp_path, lines, LogLimits(max_size=chance.choice([150, 1000, 10**6]), backups=900))
    for count in (None, 0, 1, 7):
        for context in (0, 1, 3):
            assert found(tmp_path, Span(count=count), context) == plain(lines, count, context), (count, context)


def test_each_service_has_its_last_ones_merged_by_time(tmp_path: Path) -> None:
    write(tmp_path, ["x0", "x1", "x2", "x3"])
    write(tmp_path, ["y", "y", "xa", "xb", "xc"], name="api")
    assert found(tmp_path, Span(count=2), names="web api") == ["x2", "x3", "xb", "xc"]


def test_a_span_of_time_bounds_matches_and_what_is_around_them(tmp_path: Path) -> None:
    write(tmp_path, [f"{number}x" if number % 3 == 0 else f"{number}" for number in range(30)], LogLimits(40, 90))
    assert found(tmp_path, Span(since=12, until=18)) == ["12x", "15x", "18x"]
    assert found(tmp_path, Span(since=12, until=18, count=2), 1) == ["(14)", "15x", "(16)", "(17)", "18x"]
    assert found(tmp_path, Span(started={"web": 27.0})) == ["27x"]
    assert found(tmp_path, Span(since=99)) == []


def test_a_search_goes_on_where_another_ended_also_across_rotation(tmp_path: Path) -> None:
    limits = LogLimits(max_size=60, backups=9)
    path = {"web": tmp_path / "web.log"}
    write(tmp_path, ["x1", "x2"], limits)
    with Search(path, X, Span()) as search:
        list(search.groups())
        begin = search.places()
    write(tmp_path, [f"x{number}" for number in range(3, 40)], limits)
    assert found(tmp_path, Span(begin=begin)) == [f"x{number}" for number in range(3, 40)]
    assert found(tmp_path, Span(begin=begin, count=2)) == ["x38", "x39"]
    with Search(path, X, Span(begin=begin)) as search:
        assert not search.has_gap
        assert found(tmp_path, Span(begin=search.places())) == []
    write(tmp_path, ["x" * 50 for _ in range(20)], limits)
    with Search(path, X, Span(begin=begin)) as search:
        assert search.has_gap


def test_a_line_that_is_not_finished_is_shown_and_comes_again_when_it_is(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("x1\nx2")
    with Search({"web": tmp_path / "web.log"}, X, Span()) as search:
        assert [group.lines[0].line.message for group in search.groups()] == ["x1", "x2"]
        begin = search.places()
    (tmp_path / "web.log").write_text("x1\nx2 is whole\n")
    assert found(tmp_path, Span(begin=begin)) == ["x2 is whole"]


def test_an_emptied_log_is_searched_from_its_beginning(tmp_path: Path) -> None:
    write(tmp_path, ["x1", "x2"])
    with Search({"web": tmp_path / "web.log"}, X, Span()) as search:
        begin = search.places()
    os.truncate(tmp_path / "web.log", 0)
    (tmp_path / "web.log").write_text("x\n")
    assert found(tmp_path, Span(begin=begin)) == ["x"]


def test_colours_do_not_hide_a_word_and_stay_in_the_line(tmp_path: Path) -> None:
    write(tmp_path, ["\x1b[31mli\x1b[0mne\r", "other"])
    assert found(tmp_path, query=make_query("^line$")) == ["\x1b[31mli\x1b[0mne"]


def test_the_time_it_may_take_is_kept_and_said(tmp_path: Path) -> None:
    write(tmp_path, ["x"] * 10)
    with Search({"web": tmp_path / "web.log"}, X, Span(), seconds=-1.0) as search:
        assert list(search.groups()) == []
        assert search.is_cut


@pytest.mark.parametrize("count", [None, 3, 500])
def test_a_search_that_is_cut_goes_on_behind_what_it_has_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int | None
) -> None:
    """However often it is cut, every line comes once; where only the last ones are wanted, those that were found."""
    clock = itertools.count()
    monkeypatch.setattr(sought, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    monkeypatch.setattr(blocks, "SIZE", 64)
    paths = {name: tmp_path / f"{name}.log" for name in ("web", "api")}
    lines = {name: [f"x{name}{number}" for number in range(200)] for name in paths}
    for name in paths:
        write(tmp_path, lines[name], LogLimits(max_size=500, backups=900), name=name)
    begin: dict[str, LogPosition] = {}
    told: dict[str, list[str]] = {name: [] for name in paths}
    cuts, wanted = 0, count
    while True:
        with Search(paths, X, Span(begin=begin, count=wanted), seconds=20.0) as search:
            for group in search.groups():
                told[group.lines[0].line.service] += [each.line.message for each in group.lines]
            begin, wanted = search.places(), None
            if not search.is_cut:
                break
            cuts += 1
    assert cuts or count == 3
    for name in paths:
        assert told[name] == lines[name][len(lines[name]) - len(told[name]) :]
        assert len(told[name]) >= min(count or 200, 3)


def test_a_long_log_is_searched_without_being_loaded(tmp_path: Path) -> None:
    with (tmp_path / "web.log").open("w") as file:
        for number in range(8_000):
            file.write(f"{number} " + "some words that nobody looks for, so that the file is large enough; " * 6 + "\n")
            if number % 1_000 == 0:
                file.write("x")
        file.write("z" * 1_000_000 + "\n")
    size = (tmp_path / "web.log").stat().st_size
    tracemalloc.start()
    try:
        told = found(tmp_path, Span(count=3), 1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len([line for line in told if line.startswith("x")]) == 3
    assert size > 3_500_000
    assert most < 2_500_000


def test_when_services_were_started_is_read_from_the_end_of_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "portsup.log"
    line = '{"time": "1970-01-01T00:00:%02dZ", "level": "info", "event": "%s", "service": "%s"}\n'
    (tmp_path / "portsup.log.1").write_text(line % (1, "service spawned", "old") + line % (2, "service spawned", "web"))
    journal.write_text(
        line % (5, "service spawned", "web") + line % (6, "service ready", "web") + line % (7, "roll begins", "api")
        + '"service spawned" half a line\n' + '{"event": "service spawned"}\n'
    )  # fmt: skip
    assert last_starts(journal, ["web", "api", "old", "none"]) == {"web": 5.0, "api": 7.0, "old": 1.0}
    assert last_starts(tmp_path / "none.log", ["web"]) == {}
