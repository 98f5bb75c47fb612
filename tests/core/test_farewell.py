"""How long a process that is to end may take for the clients that wait for it."""

from supervisor.core.farewell import ACCEPTS_WITHIN, AT_MOST, SEEN_EVERY, Patience, patience_from


def looked(patience: Patience, waiting: int, since: float, until: float) -> Patience:
    """Again and again, as on a machine that is not busy."""
    looks = round((until - since) / SEEN_EVERY)
    for look in range(looks + 1):
        patience = patience.seen(waiting, since + look * (until - since) / looks)
    return patience


def test_a_process_that_accepts_nobody_has_a_moment() -> None:
    patience = looked(patience_from(100.0, 110.0), 3, 100.0, 100.2)
    assert patience.lasts(100.0 + ACCEPTS_WITHIN - 0.01)
    assert not patience.lasts(100.0 + ACCEPTS_WITHIN + 0.001)


def test_one_that_accepts_them_one_after_the_other_has_longer() -> None:
    patience = looked(patience_from(100.0, 110.0).seen(3, 100.0), 2, 100.2, 100.4)
    assert patience.lasts(100.4)
    assert not patience.seen(5, 100.41).lasts(100.2 + ACCEPTS_WITHIN + 0.001)  # others have come, which says nothing


def test_one_that_is_busy_or_gets_others_when_another_process_has_ended_has_as_long_as_that_takes() -> None:
    patience = patience_from(100.0, 110.0).seen(1, 100.0)
    for tenths in range(11):
        patience = patience.seen(4, 100.0 + tenths / 10, is_held_up=True)
    assert patience.lasts(101.0 + ACCEPTS_WITHIN - 0.01)
    assert not looked(patience, 4, 101.0, 101.2).lasts(101.0 + ACCEPTS_WITHIN + 0.001)
    assert patience.seen(4, 101.9, is_held_up=True).until == 100.0 + AT_MOST


def test_time_in_which_the_machine_lets_nobody_run_is_not_counted() -> None:
    patience = patience_from(100.0, 110.0).seen(3, 100.0).seen(3, 101.0)
    assert patience.lasts(101.0 + ACCEPTS_WITHIN - 2 * SEEN_EVERY)
    assert not patience.lasts(101.0 + ACCEPTS_WITHIN + 0.001)
    assert patience.seen(3, 105.0).until == 100.0 + AT_MOST


def test_it_never_has_more_than_two_seconds_or_half_of_its_grace_period() -> None:
    long, short = patience_from(100.0, 110.0), patience_from(100.0, 100.2)
    for tenths, waiting in enumerate(range(30, 0, -1)):
        long = long.seen(waiting, 100.0 + tenths / 10)
    assert long.until == 100.0 + AT_MOST
    assert not short.seen(9, 100.0).seen(8, 100.09).lasts(100.1)
    assert not patience_from(100.0, 100.0).lasts(100.0)
    assert patience_from(100.0, None).lasts(100.1)
