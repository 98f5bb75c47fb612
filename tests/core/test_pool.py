"""Which port of its pool a service gets."""

import pytest

from supervisor.core.pool import NoPick, Pick, pick
from supervisor.core.port_state import Quarantine
from supervisor.core.reasons import NotTried

POOL = (6000, 6001, 6002)


def of(
    pool: tuple[int, ...] = POOL,
    *,
    taken: dict[int, str] | None = None,
    avoid: dict[int, str] | None = None,
    quarantines: dict[int, Quarantine] | None = None,
    now: float = 0.0,
    leaving: int | None = None,
    strict: bool = False,
) -> Pick | NoPick:
    return pick(
        pool,
        taken=taken or {},
        avoid=avoid or {},
        quarantines=quarantines or {},
        now=now,
        leaving=leaving,
        strict=strict,
    )


def test_the_first_port_comes_first() -> None:
    assert of() == Pick(6000)


def test_a_taken_port_is_skipped_with_the_reason() -> None:
    assert of(taken={6000: "held by `node`"}) == Pick(6001, ((6000, "held by `node`"),))


def test_a_free_port_after_a_gap_is_found() -> None:
    assert of(taken={6000: "a"}, avoid={6001: "b"}) == Pick(6002, ((6000, "a"), (6001, "b")))


def test_a_quarantined_port_is_skipped_until_its_time() -> None:
    quarantines = {6000: Quarantine("not ready 3 times", until=60.0)}
    assert of(quarantines=quarantines, now=59.9) == Pick(6001, ((6000, "not ready 3 times"),))
    assert of(quarantines=quarantines, now=60.0) == Pick(6000)


def test_every_port_has_its_reason_when_none_is_left() -> None:
    assert of(taken={6000: "a", 6002: "c"}, avoid={6001: "b"}) == NoPick(((6000, "a"), (6001, "b"), (6002, "c")))


def test_what_somebody_has_counts_more_than_what_we_had_against_it() -> None:
    assert of((6000,), taken={6000: "held by `node`"}, avoid={6000: "not ready"}) == NoPick(((6000, "held by `node`"),))


@pytest.mark.parametrize(("leaving", "port"), [(6000, 6001), (6001, 6002), (6002, 6000)])
def test_who_leaves_a_port_gets_the_next_one_around(leaving: int, port: int) -> None:
    assert of(leaving=leaving) == Pick(port)


def test_who_leaves_a_port_gets_it_again_when_there_is_no_other() -> None:
    assert of(leaving=6001, taken={6000: "a", 6002: "c"}) == Pick(6001, ((6002, "c"), (6000, "a")))


def test_strict_means_the_first_port_or_none() -> None:
    assert of(strict=True) == Pick(6000)
    assert of(strict=True, taken={6000: "a"}) == NoPick(
        ((6000, "a"), (6001, NotTried(is_strict=True)), (6002, NotTried(is_strict=True)))
    )


def test_an_unknown_port_to_leave_changes_nothing() -> None:
    assert of(leaving=9) == Pick(6000)
