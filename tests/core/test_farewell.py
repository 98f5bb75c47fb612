"""How long a process that is to end may take for the clients that wait for it."""

from supervisor.core.farewell import ACCEPTS_WITHIN, AT_MOST, patience_from


def test_a_process_that_accepts_nobody_has_a_moment() -> None:
    patience = patience_from(100.0, 110.0).seen(3, 100.0).seen(3, 100.2)
    assert patience.lasts(100.0 + ACCEPTS_WITHIN - 0.01)
    assert not patience.lasts(100.0 + ACCEPTS_WITHIN)


def test_one_that_accepts_them_one_after_the_other_has_longer() -> None:
    patience = patience_from(100.0, 110.0).seen(3, 100.0).seen(2, 100.2)
    assert patience.lasts(100.4)
    assert not patience.seen(5, 100.4).lasts(100.2 + ACCEPTS_WITHIN)  # others have come, which says nothing of it


def test_it_never_has_more_than_two_seconds_or_half_of_its_grace_period() -> None:
    long, short = patience_from(100.0, 110.0), patience_from(100.0, 100.2)
    for tenths, waiting in enumerate(range(30, 0, -1)):
        long = long.seen(waiting, 100.0 + tenths / 10)
    assert long.until == 100.0 + AT_MOST
    assert not short.seen(9, 100.0).seen(8, 100.09).lasts(100.1)
    assert not patience_from(100.0, 100.0).lasts(100.0)
    assert patience_from(100.0, None).lasts(100.1)
