"""Whatever becomes of one, the others are given back."""

import errno

import pytest

from supervisor.daemon.processes import anyway


def test_all_are_called_in_their_order_with_what_they_take() -> None:
    called = list[tuple[object, ...]]()
    anyway.each([(lambda: called.append(()),), (lambda *given: called.append(given), 1, "two")])
    assert called == [(), (1, "two")]


def test_what_the_system_refuses_stops_nothing_and_a_mistake_is_told_at_the_end() -> None:
    called = list[str]()

    def refuse() -> None:
        raise OSError(errno.EIO, "no")

    def mistake() -> None:
        raise ValueError("a mistake")

    anyway.each([(refuse,), (called.append, "first")])
    with pytest.raises(ValueError, match="a mistake"):
        anyway.each([(mistake,), (refuse,), (called.append, "second")])
    assert called == ["first", "second"]
