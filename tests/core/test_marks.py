"""Marks by which processes are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.marks import LARGEST, STARTS, is_of_run, mark, part_of, run_id

REST = "0" * 22
rooms = st.integers(0, 2**64)
numbers = st.integers(0, 2**40 - 1)


@given(rooms, numbers, st.integers(0, 10 * STARTS))
def test_every_mark_of_a_run_is_below_what_there_is_room_for(room: int, number: int, start: int) -> None:
    run = run_id(room, number, REST)
    assert len(run) == 32
    made = mark(run, str(start))
    if made:
        assert 0 < made < min(room, LARGEST)
        assert is_of_run((made,), run)
    else:
        assert room < 2**39, "there is nearly always room"


@given(numbers)
def test_a_run_within_a_run_has_marks_of_its_own(number: int) -> None:
    outer = run_id(LARGEST, number, REST)
    above = mark(outer, "7")
    inner = run_id(above, number, REST)
    if part_of(inner):
        assert part_of(inner) < part_of(outer)
        assert not is_of_run((above,), inner)
        assert is_of_run((mark(inner, "1"), above), outer), "its processes have both"


@pytest.mark.parametrize("run", ["", "dead-4711", "0000000000" + REST, "-000000001" + REST])
def test_an_id_that_is_not_ours_has_no_marks(run: str) -> None:
    assert mark(run, "1") == 0
    assert not is_of_run((0, 1, STARTS), run)


def test_starts_are_told_apart_and_begin_anew_after_millions() -> None:
    run = run_id(LARGEST, 41, REST)
    assert mark(run, "1") != mark(run, "2")
    assert mark(run, str(STARTS + 1)) == mark(run, "1")
    assert part_of(run) == 42
