"""Who is suspected of listening on the port of another, and when that is sure."""

from supervisor.core.suspicion import COMES_AGAIN, LASTS, Suspicion


def test_one_who_is_seen_once_is_not_sure() -> None:
    assert Suspicion().looked({"a"}, 5.0).sure(5.0) is None
    assert Suspicion().looked({"a"}, 5.0).looked({"a"}, 5.0 + LASTS / 2).sure(5.0 + LASTS / 2) is None


def test_one_who_is_still_there_after_a_while_is_sure() -> None:
    first = Suspicion().looked({"a"}, 5.0)
    assert first.looked({"b", "a"}, 5.0 + LASTS).sure(5.0 + LASTS) == "a"


def test_another_one_is_suspected_anew() -> None:
    assert Suspicion().looked({"a"}, 5.0).looked({"b"}, 5.0 + LASTS).sure(5.0 + LASTS) is None


def test_a_look_that_finds_nobody_ends_the_suspicion() -> None:
    seen = Suspicion().looked({"a"}, 5.0).looked((), 5.5)
    assert seen == Suspicion()
    assert seen.looked({"a"}, 5.0 + LASTS).sure(5.0 + LASTS) is None
    assert seen.sure(100.0) is None


def test_those_who_come_and_go_are_sure_once_each_look_has_found_somebody_for_long() -> None:
    seen, now = Suspicion(), 5.0
    while now < 5.0 + COMES_AGAIN:
        seen = seen.looked({now}, now)
        assert seen.sure(now) is None
        now += LASTS / 2
    assert seen.looked({now}, now).sure(now) == now
