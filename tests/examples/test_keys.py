"""Several keys for one upstream, taking turns."""

import calendar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.groq_api.keys import LIMITED, REFUSED, Keys, retry_after
from examples.service import SettingError


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
    assert keys.available(7.5, "") == 2


def test_a_limit_is_one_of_a_model_and_a_refusal_one_of_the_key() -> None:
    keys = Keys("a,b")
    first, second = keys.take(0.0, "big"), keys.take(0.0, "big")
    assert first is not None
    assert second is not None
    keys.limited(first, 0.0, 30.0, "big")
    keys.limited(second, 0.0, 20.0, "big")
    assert keys.take(1.0, "big") is None
    assert (keys.wait(1.0, "big"), keys.wait(1.0, "small"), keys.available(1.0)) == (19.0, 0.0, 2)
    assert [key.secret for key in (keys.take(1.0, "small"), keys.take(1.0, "")) if key] == ["a", "b"]
    assert [row["limited"] for row in keys.report(1.0)] == [{"big": 29.0}, {"big": 19.0}]
    keys.refused(first, 1.0)
    assert [key.secret for key in (keys.take(2.0, "small"), keys.take(2.0, "small")) if key] == ["b", "b"]
    assert (keys.available(2.0), keys.available(25.0, "big")) == (1, 1)


def test_limits_that_are_over_are_forgotten() -> None:
    keys = Keys("a")
    key = keys.take(0.0)
    assert key is not None
    for number in range(100):
        keys.limited(key, float(number), 0.5, f"model-{number}")
    assert list(key.limited_until) == ["model-99"]


def test_without_a_word_from_the_upstream_it_rests_for_a_minute_and_a_refused_one_for_ten() -> None:
    keys = Keys("a,b")
    first, second = keys.take(0.0), keys.take(0.0)
    assert first is not None
    assert second is not None
    keys.limited(first, 0.0, None)
    keys.refused(second, 0.0)
    assert keys.take(0.0) is None
    assert keys.wait(0.0, "") == LIMITED
    assert (keys.available(LIMITED, ""), keys.available(REFUSED, "")) == (1, 2)


def test_a_key_never_shows_in_a_report_or_in_its_own_text() -> None:
    keys = Keys("gsk_secret")
    key = keys.take(0.0)
    assert "gsk_secret" not in f"{key!r} {key} {keys.report(0.0)}"


def test_no_keys_at_all_is_no_error() -> None:
    keys = Keys(" , ")
    assert (len(keys), keys.take(0.0), keys.wait(0.0)) == (0, None, 0.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("1.25", 1.25),
        ("-3", 0.0),
        ("1e9", 3600.0),
        ("inf", 3600.0),
        ("nan", None),
        (None, None),
        ("", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2036 07:27:00 GMT", 3600.0),
        ("Wed, 99 Oct 2026 07:27:00 GMT", None),
    ],
)
def test_retry_after_may_be_absent_fractional_a_date_or_nonsense(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, clock=calendar.timegm((2026, 10, 21, 7, 27, 30))) == seconds


@given(text=st.text())
def test_any_retry_after_is_none_or_within_an_hour(text: str) -> None:
    seconds = retry_after(text, clock=1.7e9)
    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize("bad", ["gsk secret", "gsk_sécret", "gsk\nsecret", "gsk\x00secret"])
def test_a_key_that_can_not_be_sent_is_named_by_its_place_only(bad: str) -> None:
    with pytest.raises(SettingError, match="key 2 of `GROQ_API_KEY`") as error:
        Keys(f"gsk_1,{bad}")
    assert "cret" not in str(error.value)


def test_a_late_answer_does_not_shorten_a_rest() -> None:
    keys = Keys("a")
    key = keys.take(0.0)
    assert key is not None
    assert keys.refused(key, 0.0) == REFUSED
    assert keys.limited(key, 1.0, 2.0) == REFUSED - 1.0
    assert keys.report(2.0)[0]["why"] == "refused"


steps = st.lists(st.tuples(st.sampled_from(["ok", "401", "429"]), st.floats(0, 100), st.floats(0, 700)), max_size=40)


@given(count=st.integers(1, 5), steps=steps)
def test_whatever_happens_no_resting_key_is_used_and_all_take_turns(
    count: int, steps: list[tuple[str, float, float]]
) -> None:
    keys = Keys(",".join(f"key{number}" for number in range(count)))
    back = dict.fromkeys(range(1, count + 1), 0.0)
    now, last = 0.0, 0
    for answer, pause, later in steps:
        now += later
        free = [number for number in back if now >= back[number]]
        assert keys.available(now, "") == len(free)
        key = keys.take(now)
        if key is None:
            assert free == []
            assert 0 < keys.wait(now, "") == pytest.approx(min(back.values()) - now)
            continue
        # The next one in the circle that is free.
        circle = [(last + step) % count + 1 for step in range(count)]
        assert key.number == next(number for number in circle if number in free)
        last = key.number
        if answer == "401":
            keys.refused(key, now)
            back[key.number] = now + REFUSED
        elif answer == "429":
            keys.limited(key, now, pause)
            back[key.number] = now + pause
