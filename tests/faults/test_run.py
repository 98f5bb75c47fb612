"""What is tried, in which order, and what a busy machine and an interruption change of it: nothing."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults import patience
from tests.faults.account import Account
from tests.faults.board import CALLS
from tests.faults.building import SUPERVISOR
from tests.faults.patience import Limit
from tests.faults.places import CHILDREN, read
from tests.faults.points import STEPS, Point, apart, every, sample

READS = ("up", 2, "read")
PLACES = {READS: {1: "a.py:1 main.py:9", 2: "a.py:1 main.py:9", 3: "a.py:1 main.py:9", 4: "b.py:2 main.py:9"}}


def test_of_calls_from_the_same_lines_the_first_and_the_last_are_tried() -> None:
    points = [point for point in every({READS: 5}, PLACES) if point.error == errno.EIO and not point.lasts]
    assert [point.number for point in points] == [1, 3, 4, 5]  # nothing is known of the fifth


def test_points_at_the_same_lines_are_of_a_kind_whatever_the_step() -> None:
    places = PLACES | {("down", 2, "read"): PLACES[READS]}
    points = every({READS: 4, ("down", 2, "read"): 4}, places)
    chosen = [point for point in points if point.error == errno.EINTR]
    first, second = list(sample(chosen, 1, places))[:2]
    assert {PLACES[READS][each.number] for each in (first, second)} == set(PLACES[READS].values())


def test_the_places_are_those_of_portsup(tmp_path: Path) -> None:
    call, step = CALLS.index("open"), STEPS.index("restart")
    trace = 'Stack (most recent call first):\n  File "/x/supervisor/files/opening.py", line 7 in open_file\n'
    file = tmp_path / "places"
    file.write_text(f'\n@ {step} 2 {call} 1\n{trace}  File "/usr/lib/os.py", line 3 in x\n\n@ {step} 2 {call} 2\n')
    assert read(file) == {("restart", 2, "open"): {1: "/x/supervisor/files/opening.py:7"}}


def test_a_place_begins_where_its_process_began_and_leaves_out_who_only_passes_on(tmp_path: Path) -> None:
    call, step = CALLS.index("import"), STEPS.index("up")
    lines = (
        ("core/state.py", 3, "<module>"), ("daemon/start.py", 9, "<module>"), ("cli/commands/up.py", 12, "_daemon"),
        ("cli/commands/up.py", 10, "<lambda>"), ("process/guardian.py", 8, "_become_daemon"), ("cli/main.py", 2, "run"),
    )  # fmt: skip
    trace = "".join(f'  File "/x/supervisor/{path}", line {line} in {name}\n' for path, line, name in lines)
    file = tmp_path / "places"
    file.write_text(f"\n@ {step} 2 {call} 1\nStack (most recent call first):\n{trace}")
    place = "/x/supervisor/cli/commands/up.py:12 /x/supervisor/process/guardian.py:8"
    assert read(file) == {("up", 2, "import"): {1: place}}


def test_children_begin_with_functions_that_there_are() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SUPERVISOR.rglob("*.py"))
    assert [name for name in CHILDREN if f"def {name}(" not in text] == []


def test_a_run_goes_on_where_it_was_left(tmp_path: Path) -> None:
    points = [Point("up", 2, "read", number, errno.EIO) for number in (3, 1, 2)]
    account = Account(tmp_path / "account")
    account.begin(points)
    account.note(points[0], is_wrong=False)
    account.note(points[2], is_wrong=True)
    again = Account(tmp_path / "account")
    assert (again.points, again.left(), again.found, len(again)) == (points, [points[1]], [points[2]], 2)


def test_a_limit_is_over_for_who_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "queued", lambda mark: {1: 5.0})
    assert Limit("=nobody", 0.0).is_over()
    assert Limit("=nobody", 0.0).eventually(lambda: "at once") == "at once"


def test_but_not_for_who_had_no_processor_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    waited, now = [3.0], [100.0]
    monkeypatch.setattr(patience, "queued", lambda mark: {1: waited[0]})
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    limit = Limit("=somebody", 1.0)
    waited[0], now[0] = 7.0, 104.0  # four seconds, none of which it could run in
    assert not limit.is_over()
    now[0] = 105.5
    assert limit.is_over()


def test_of_the_same_call_from_the_same_place_one_is_tried_whatever_the_step() -> None:
    places = PLACES | {("down", 1, "read"): PLACES[READS], ("down", 1, "write"): PLACES[READS]}
    of_them = [point for point in every(dict.fromkeys(places, 5), places) if point.error == errno.EIO]
    chosen = list(apart(of_them, 1, places))
    at = [(places[point.step, point.depth, point.call].get(point.number), point) for point in chosen]
    reads = [(place, point.number) for place, point in at if point.call == "read" and not point.lasts]
    both = [("a.py:1 main.py:9", 1), ("a.py:1 main.py:9", 3), ("b.py:2 main.py:9", 4)]
    assert sorted(reads, key=str) == sorted([*both, (None, 5), (None, 5)], key=str)
    lasting = {(point.step, point.call, place) for place, point in at if point.lasts}
    assert lasting == {(step, call, place) for step, _, call in places for place in dict(both)}
    assert {point.step for point in chosen} == {"up", "down"}
    assert list(apart(of_them, 1, places)) == chosen


@pytest.mark.live
def test_what_waits_for_a_processor_is_counted() -> None:
    mark = f"=limits-{os.getpid()}"
    with subprocess.Popen([sys.executable, "-c", "while True: pass"], env={"MARK": mark[1:]}) as busy:
        try:
            assert busy.pid in patience.queued(mark)
        finally:
            busy.send_signal(signal.SIGKILL)
