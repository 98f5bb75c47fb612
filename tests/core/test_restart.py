"""Which ends restart a service, and after how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.restart import Restart, RestartPolicy


@pytest.mark.parametrize(
    ("restart", "after_success", "after_failure"),
    [(Restart.NEVER, False, False), (Restart.ON_FAILURE, False, True), (Restart.ALWAYS, True, True)],
)
def test_which_ends_restart(restart: Restart, after_success: bool, after_failure: bool) -> None:
    policy = RestartPolicy(restart)
    assert policy.wants_restart(clean=True) is after_success
    assert policy.wants_restart(clean=False) is after_failure


def test_waits_grow_by_the_factor_up_to_the_longest_and_none_follows_a_good_run() -> None:
    policy = RestartPolicy(delay=0.5, factor=2.0, max_delay=3.0)
    assert [policy.delay_before(attempt) for attempt in range(6)] == [0.0, 0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_factor_of_one_waits_the_same_each_time_and_no_delay_never_waits() -> None:
    assert {RestartPolicy(delay=0.2, factor=1.0).delay_before(attempt) for attempt in (1, 2, 9)} == {0.2}
    assert {RestartPolicy(delay=0.0).delay_before(attempt) for attempt in (1, 9, 1024, 1025, 10_000)} == {0.0}


@given(st.integers(0, 10**9), st.floats(0, 1e6), st.floats(1, 100), st.floats(0, 1e6))
def test_no_wait_is_negative_or_above_the_longest(attempt: int, delay: float, factor: float, longest: float) -> None:
    assert 0.0 <= RestartPolicy(delay=delay, factor=factor, max_delay=longest).delay_before(attempt) <= longest
