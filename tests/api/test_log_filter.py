"""The regular expression by which a window marks what matches."""

import pytest

from supervisor.api.log_filter import LineFilter


def test_all_matches_of_a_line_are_marked() -> None:
    assert LineFilter("a+").spans("aa b a") == [(0, 2), (5, 6)]


@pytest.mark.timeout(30)
def test_an_expression_that_takes_for_ever_behind_its_first_match_keeps_no_window() -> None:
    found = LineFilter("ERROR|(b+)+c")
    line = "ERROR " + "b" * 60
    assert found.numbers([line]) == [0]
    assert found.spans(line) == [(0, 5)]
