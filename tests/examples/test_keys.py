"""Several keys for one upstream, taking turns."""

from examples.groq_api.keys import LIMITED, REFUSED, Keys, retry_after


def test_keys_take_turns() -> None:
    keys = Keys("a, b,,a ,c")
    assert len(keys) == 3
    assert [key.secret for key in (keys.take(0.0) for _ in range(4)) if key] == ["a", "b", "c", "a"]


def test_a_key_over_its_limit_rests_as_long_as_the_upstream_says() -> None:
    keys = Keys("a,b")
    first = keys.take(0.0)
    assert first is not None
    keys.limited(first, 0.0, 7.5)
    assert [key.secret for key in (keys.take(7.4) for _ in range(3)) if key] == ["b", "b", "b"]
    assert keys.available(7.5) == 2


def test_without_a_word_from_the_upstream_it_rests_for_a_minute_and_a_refused_one_for_ten() -> None:
    keys = Keys("a,b")
    first, second = keys.take(0.0), keys.take(0.0)
    assert first is not None
    assert second is not None
    keys.limited(first, 0.0, None)
    keys.refused(second, 0.0)
    assert keys.take(0.0) is None
    assert keys.wait(0.0) == LIMITED
    assert (keys.available(LIMITED), keys.available(REFUSED)) == (1, 2)


def test_a_key_never_shows_in_a_report_or_in_its_own_text() -> None:
    keys = Keys("gsk_secret")
    key = keys.take(0.0)
    assert "gsk_secret" not in f"{key!r} {key} {keys.report(0.0)}"


def test_no_keys_at_all_is_no_error() -> None:
    keys = Keys(" , ")
    assert (len(keys), keys.take(0.0), keys.wait(0.0)) == (0, None, 0.0)


def test_retry_after_may_be_absent_fractional_a_date_or_nonsense() -> None:
    assert retry_after("2") == 2.0
    assert retry_after("1.25") == 1.25
    assert retry_after("-3") == 0.0
    assert retry_after("1e9") == 3600.0
    assert retry_after(None) is None
    assert retry_after("Wed, 21 Oct 2026 07:28:00 GMT") is None
