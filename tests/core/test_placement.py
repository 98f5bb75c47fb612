"""Who may run a service: never two, by any clock that a holder may have."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.placement import BEAT, RESERVE, Book, Holding, Timing


def test_the_first_holder_gets_a_service_and_the_next_waits_for_its_lease() -> None:
    book, first = Book(10.0, {}).claim("api", "a", "n1", now=100.0, wall=5.0)
    assert first == Holding(5000, "a", "n1", 110.0)
    assert book.claim("api", "b", "n2", now=109.9, wall=6.0) == (book, None)
    book, second = book.claim("api", "b", "n2", now=110.0, wall=6.0)
    assert second == Holding(6000, "b", "n2", 120.0)


def test_a_renewal_makes_the_lease_longer_and_keeps_the_epoch() -> None:
    book, first = Book(10.0, {}).claim("api", "a", "n1", now=0.0, wall=1.0)
    assert first is not None
    book, renewed = book.renew("api", "a", first.epoch, now=8.0)
    assert renewed == Holding(first.epoch, "a", "n1", 18.0)
    assert book.claim("api", "b", "n2", now=17.0, wall=9.0)[1] is None


def test_a_lease_that_is_over_is_not_renewed() -> None:
    book, first = Book(10.0, {}).claim("api", "a", "n1", now=0.0, wall=1.0)
    assert first is not None
    assert book.renew("api", "a", first.epoch, now=10.0) == (book, None)


def test_nobody_renews_what_another_has() -> None:
    book, first = Book(10.0, {}).claim("api", "a", "n1", now=0.0, wall=1.0)
    assert first is not None
    book, _ = book.claim("api", "b", "n2", now=11.0, wall=2.0)
    assert book.renew("api", "a", first.epoch, now=11.5) == (book, None)
    assert book.renew("web", "a", first.epoch, now=11.5) == (book, None)


def test_what_is_over_is_free_at_once() -> None:
    book, first = Book(10.0, {}).claim("api", "a", "n1", now=0.0, wall=1.0)
    assert first is not None
    assert book.over("api", first.epoch - 1) == book
    book, second = book.over("api", first.epoch).claim("api", "b", "n2", now=0.1, wall=1.0)
    assert second is not None
    assert second.epoch > first.epoch


def test_epochs_grow_though_the_clock_was_set_back() -> None:
    book, first = Book(1.0, {}).claim("api", "a", "n1", now=0.0, wall=1000.0)
    assert first is not None
    _, second = book.claim("api", "b", "n2", now=2.0, wall=1.0)
    assert second is not None
    assert second.epoch == first.epoch + 1


def test_another_registry_waits_for_the_leases_of_the_one_before() -> None:
    book = Book(10.0, {}).found_again("api", Holding(7, "a", "n1", 3.0), now=100.0)
    assert book.claim("api", "b", "n2", now=112.9, wall=1.0)[1] is None
    assert book.renew("api", "a", 7, now=112.9)[1] is not None
    assert book.claim("api", "b", "n2", now=113.0, wall=1.0)[1] is not None


def test_a_lease_that_is_too_short_is_known() -> None:
    assert Timing().is_kept
    assert Timing(lease=8.0, grace=3.0).is_kept
    assert not Timing(lease=7.9, grace=3.0).is_kept
    assert Timing(lease=8.0, grace=3.0).least == 8.0
    assert Timing().patience + Timing().grace + RESERVE == Timing().lease


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["claim", "beat", "kill"]), st.integers(0, 2), st.floats(0, 6), st.floats(0, 3),
            st.booleans(), st.booleans(),
        ),
        max_size=60,
    ),
)  # fmt: skip
def test_two_holders_never_believe_that_they_may_at_the_same_time(
    steps: list[tuple[str, int, float, float, bool, bool]],
) -> None:
    """Messages take time and are lost; a holder counts from when it asked, the book from when it heard."""
    timing = Timing(lease=10.0, grace=2.0)
    book, now = Book(timing.lease, {}), 0.0
    may_until: dict[int, tuple[float, int]] = {}  # by holder: until when, in which epoch
    for what, who, pause, travel, arrives, returns in steps:
        now += pause
        if what == "kill":
            may_until.pop(who, None)
            continue
        asked, now = now, now + travel
        if not arrives:
            continue
        if what == "claim":
            book, holding = book.claim("api", str(who), f"n{who}", now, wall=1.0)
        else:
            _, epoch = may_until.get(who, (0.0, 0))
            book, holding = book.renew("api", str(who), epoch, now)
        if holding is not None and returns:
            may_until[who] = (asked + timing.kill_after, holding.epoch)
        believe = [each for each, (until, _) in may_until.items() if now < until]
        assert len(believe) <= 1, believe
    assert timing.patience > BEAT
