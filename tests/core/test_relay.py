"""Which clients are led to another process, and how."""

import pytest

from supervisor.core.relay import (
    MOST,
    MOST_HELD,
    ROOM,
    Fate,
    Next,
    Way,
    fate_of,
    is_loopback,
    may_hold,
    most_at_once,
    plain,
    what_next,
)


@pytest.mark.parametrize(
    ("address", "of_this_machine"),
    [
        ("127.0.0.1", True),
        ("127.9.8.7", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("0.0.0.0", False),
        ("fd00::127.0.0.1", False),
        ("fe80::1%lo", False),
        ("::", False),
        ("::2", False),
        ("", False),
    ],
)
def test_what_is_of_this_machine_alone(address: str, of_this_machine: bool) -> None:
    assert is_loopback(address) is of_this_machine


def test_only_a_client_of_our_user_that_both_addresses_prove_to_be_here_is_led_on() -> None:
    assert fate_of("127.0.0.1", "127.0.0.1", 1000, 1000) is Fate.RELAYED
    assert fate_of("::ffff:127.0.0.3", "::ffff:127.0.0.1", 1000, 1000) is Fate.RELAYED
    assert fate_of("::1", "::1", 0, 0) is Fate.RELAYED
    assert fate_of("10.0.0.1", "127.0.0.1", 1000, 1000) is Fate.FAR
    assert fate_of("127.0.0.1", "10.0.0.1", 1000, 1000) is Fate.FAR
    assert fate_of("127.0.0.1", "127.0.0.1", 0, 1000) is Fate.ANOTHERS
    assert fate_of("127.0.0.1", "127.0.0.1", 1000, 0) is Fate.ANOTHERS
    assert fate_of("127.0.0.1", "127.0.0.1", None, 1000) is Fate.GONE


def test_an_address_of_ipv4_is_called_as_such() -> None:
    assert [plain(each) for each in ("::ffff:127.0.0.1", "127.0.0.1", "::1")] == ["127.0.0.1", "127.0.0.1", "::1"]


def test_few_descriptors_are_for_few_clients() -> None:
    assert [most_at_once(limit) for limit in (-1, 1 << 20, 1024, 64, 10)] == [MOST, MOST, 64, 4, 0]
    assert may_hold(0, 100, -1)
    assert may_hold(MOST_HELD - 1, 511, 1024)
    assert not may_hold(MOST_HELD, 100, 1024)
    assert not may_hold(0, 512, 1024)


def test_no_more_is_read_than_is_taken_and_the_end_comes_last() -> None:
    assert Way().room == ROOM
    assert Way(held=1).room == 0
    assert Way(has_ended=True).room == 0
    assert not Way(held=1, has_ended=True).is_to_end
    assert Way(has_ended=True).is_to_end
    assert not Way(has_ended=True, is_passed_on=True).is_to_end


def test_sockets_are_closed_when_nobody_is_on_the_way_or_it_takes_too_long() -> None:
    assert what_next(1, 0, 10.0, 12.0) is Next.GO_ON
    assert what_next(1, 1, 10.0, 12.0) is Next.GO_ON
    assert what_next(0, 1, 10.0, 12.0) is Next.WAIT
    assert what_next(0, 0, 10.0, 12.0) is Next.CLOSE
    assert what_next(3, 3, 12.0, 12.0) is Next.CLOSE
