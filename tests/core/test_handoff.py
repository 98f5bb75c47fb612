"""What becomes of a bind call, decided without a kernel."""

import errno
import socket
import struct

import pytest

from supervisor.core.handoff import (
    V4,
    V6,
    Bind,
    BindMode,
    Give,
    LetThrough,
    Part,
    Place,
    Refuse,
    decide,
    is_for_worker,
    parse_address,
    part_after_listen,
)
from supervisor.core.service import Service
from supervisor.core.service.clients import has_last_clients, keeps_clients, serves_on
from supervisor.core.state import Hook, HookRun, State, Then

PORT = 6000
LOCAL, EVERY, LOCAL6, EVERY6, BOTH = (
    Place(V4, "127.0.0.1"),
    Place(V4, "0.0.0.0"),
    Place(V6, "::1"),
    Place(V6, "::", v6_only=True),
    Place(V6, "::"),
)
REPORT = BindMode.REPORT


def test_its_own_port_is_given_to_a_service() -> None:
    assert decide(Bind(LOCAL, PORT), PORT, REPORT, {}) == Give(LOCAL)


def test_a_service_that_has_its_socket_and_binds_all_the_same_gets_it_once_more_and_no_other() -> None:
    offered = {LOCAL: True}
    assert decide(Bind(LOCAL, PORT), PORT, REPORT, offered, offered=LOCAL) == Give(LOCAL, swaps=True)
    assert decide(Bind(EVERY, PORT), PORT, REPORT, offered, offered=LOCAL) == Give(EVERY, doubtful=(LOCAL,))
    assert decide(Bind(LOCAL6, PORT), PORT, REPORT, offered, offered=LOCAL) == Give(LOCAL6)


@pytest.mark.parametrize("mode", BindMode)
def test_an_ephemeral_port_is_nobodys_business(mode: BindMode) -> None:
    assert decide(Bind(LOCAL, 0), PORT, mode, {}) == LetThrough()


def test_another_port_is_let_through_and_told() -> None:
    assert decide(Bind(LOCAL, 3000), PORT, REPORT, {}) == LetThrough(3000)


def test_a_strict_service_may_bind_no_other_port() -> None:
    assert decide(Bind(LOCAL, 3000), PORT, BindMode.STRICT, {}) == Refuse(errno.EACCES)
    assert decide(Bind(LOCAL, PORT), PORT, BindMode.STRICT, {}) == Give(LOCAL)


def test_a_hard_coded_port_is_moved_in_every_family() -> None:
    assert decide(Bind(LOCAL, 3000), PORT, BindMode.MOVE, {}) == Give(LOCAL, moved_from=3000)
    assert decide(Bind(LOCAL6, 3000), PORT, BindMode.MOVE, {LOCAL: True}, 3000) == Give(LOCAL6, moved_from=3000)


def test_only_one_port_is_moved_and_none_of_a_service_that_binds_its_own() -> None:
    assert decide(Bind(LOCAL, 3001), PORT, BindMode.MOVE, {LOCAL: True}, 3000) == LetThrough(3001)
    assert decide(Bind(LOCAL, 3001), PORT, BindMode.MOVE, {LOCAL: True}, has_bound=True) == LetThrough(3001)


def test_sockets_that_all_share_the_port_may_overlap_as_in_the_kernel() -> None:
    shared = Bind(EVERY, PORT, is_shared=True)
    assert decide(shared, PORT, REPORT, {LOCAL: True}, shared={LOCAL}) == Give(EVERY)
    assert decide(shared, PORT, REPORT, {LOCAL: False}, shared={LOCAL}, held={LOCAL}) == Give(EVERY)
    assert decide(shared, PORT, REPORT, {LOCAL: True}) == Give(EVERY, doubtful=(LOCAL,))
    assert decide(Bind(EVERY, PORT), PORT, REPORT, {LOCAL: True}, shared={LOCAL}) == Give(EVERY, doubtful=(LOCAL,))


def test_the_next_process_binds_its_own_socket_beside_that_of_an_earlier_one() -> None:
    assert decide(Bind(LOCAL, PORT), PORT, REPORT, {LOCAL: False}, kept={LOCAL}) == Give(LOCAL)


def test_where_nothing_moves_to_it_the_next_process_gets_the_socket_of_an_earlier_one() -> None:
    bind = Bind(LOCAL, PORT, joins=False)
    assert decide(bind, PORT, REPORT, {LOCAL: False}, kept={LOCAL}) == Give(LOCAL, swaps=True)
    assert decide(bind, PORT, REPORT, {LOCAL: False}) == Give(LOCAL)
    assert decide(bind, PORT, REPORT, {LOCAL: True}, kept={LOCAL}) == Give(LOCAL, doubtful=(LOCAL,), swaps=True)


def test_a_worker_has_a_queue_of_its_own_beside_that_of_another() -> None:
    worker = Bind(LOCAL, PORT, is_shared=True, is_worker=True, joins=False)
    assert decide(worker, PORT, REPORT, {LOCAL: True}, kept={LOCAL}) == Give(LOCAL)
    first = Bind(LOCAL, PORT, is_shared=True, joins=False)
    assert decide(first, PORT, REPORT, {LOCAL: False}, kept={LOCAL}) == Give(LOCAL, swaps=True)


def test_a_socket_that_cannot_be_bound_beneath_covers_is_replaced() -> None:
    assert decide(Bind(LOCAL, PORT, keeps_own=False), PORT, REPORT, {}) == Give(LOCAL, swaps=True)


def test_a_place_that_is_asked_for_twice_is_looked_at() -> None:
    assert decide(Bind(LOCAL, PORT), PORT, REPORT, {LOCAL: True}) == Give(LOCAL, doubtful=(LOCAL,))


def test_workers_that_share_their_port_each_bind_their_own_socket() -> None:
    worker = Bind(LOCAL, PORT, is_shared=True, is_worker=True)
    assert decide(worker, PORT, REPORT, {LOCAL: True}) == Give(LOCAL)


def test_nobody_shares_a_place_with_one_that_does_not_share_it() -> None:
    bind = Bind(LOCAL, PORT, is_shared=True)
    assert decide(bind, PORT, REPORT, {LOCAL: True}) == Give(LOCAL, doubtful=(LOCAL,))
    bind = Bind(LOCAL, PORT, is_shared=True, joins=False)
    assert decide(bind, PORT, REPORT, {LOCAL: True}, kept={LOCAL}) == Give(LOCAL, doubtful=(LOCAL,), swaps=True)


def test_a_socket_that_is_left_over_makes_way_for_another_address() -> None:
    assert decide(Bind(EVERY, PORT), PORT, REPORT, {LOCAL: False, LOCAL6: False}) == Give(EVERY, retired=(LOCAL,))
    assert decide(Bind(BOTH, PORT), PORT, REPORT, {LOCAL: False, LOCAL6: True}) == Give(BOTH, (LOCAL,), (LOCAL6,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LOCAL, EVERY),
        (LOCAL, BOTH),
        (EVERY, BOTH),
        (LOCAL6, EVERY6),
        (LOCAL6, BOTH),
        (EVERY6, BOTH),
        (Place(V6, "::ffff:127.0.0.1"), LOCAL),
        (Place(V6, "::ffff:127.0.0.1"), BOTH),
        (Place(V6, "::ffff:127.0.0.1"), EVERY),
    ],
)
def test_places_that_share_an_address_overlap(one: Place, other: Place) -> None:
    assert one.overlaps(other)
    assert other.overlaps(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LOCAL, Place(V4, "127.0.0.2")),
        (LOCAL, LOCAL6),
        (EVERY, EVERY6),
        (EVERY, LOCAL6),
        (Place(V6, "::ffff:127.0.0.1"), LOCAL6),
        (Place(V6, "::ffff:127.0.0.1"), EVERY6),
        (Place(V6, "::ffff:127.0.0.1"), Place(V4, "127.0.0.2")),
    ],
)
def test_places_of_different_addresses_or_families_do_not(one: Place, other: Place) -> None:
    assert not one.overlaps(other)
    assert not other.overlaps(one)


def test_addresses_are_read_as_the_kernel_does() -> None:
    v4 = struct.pack("=H", V4) + struct.pack("!H", PORT) + socket.inet_aton("127.0.0.1") + bytes(8)
    assert parse_address(v4, V4) == ("127.0.0.1", PORT, 0)
    assert parse_address(bytes(2) + v4[2:4] + bytes(12), V4) == ("0.0.0.0", PORT, 0)
    v6 = struct.pack("=H", V6) + struct.pack("!H", PORT) + bytes(4) + socket.inet_pton(socket.AF_INET6, "::1")
    assert parse_address(v6, V6) == ("::1", PORT, 0)
    assert parse_address(v6 + struct.pack("=I", 7), V6) == ("::1", PORT, 0)
    local = v6[:8] + socket.inet_pton(socket.AF_INET6, "fe80::1") + struct.pack("=I", 7)
    assert parse_address(local, V6) == ("fe80::1", PORT, 7)


@pytest.mark.parametrize(
    ("data", "family"),
    [(b"", V4), (bytes(15), V4), (struct.pack("=H", V6) + bytes(30), V4), (struct.pack("=H", V4) + bytes(30), V6),
     (bytes(23), V6), (b"\1\0/tmp/socket\0\0\0\0\0\0", int(socket.AF_UNIX)), (bytes(2) + b"\1\2" + b"\7" * 12, V4)],
)  # fmt: skip
def test_what_the_kernel_would_refuse_is_left_to_it(data: bytes, family: int) -> None:
    assert parse_address(data, family) is None


@pytest.mark.parametrize(
    ("state", "then", "keeps"),
    [
        (State.STARTING, Then.STOP, True),
        (State.RUNNING, Then.STOP, True),
        (State.BACKOFF, Then.STOP, True),
        (State.TERMINATING, Then.RESTART, True),
        (State.KILLING, Then.EXIT, True),
        (State.TERMINATING, Then.STOP, False),
        (State.TERMINATING, Then.MOVE, False),
        (State.KILLING, Then.FAIL, False),
        (State.FAILED, Then.STOP, False),
        (State.STOPPED, Then.STOP, False),
        (State.EXITED, Then.STOP, False),
        (State.ACQUIRING, Then.STOP, False),
    ],
)
def test_clients_wait_only_where_a_process_follows_on_the_same_port(state: State, then: Then, keeps: bool) -> None:
    assert keeps_clients(Service("web", state=state, then=then)) is keeps


@pytest.mark.parametrize(
    ("part", "has_it", "expected"),
    [
        (Part.BOUND, True, True),  # who has it may never mean to accept
        (Part.BOUND, False, True),
        (Part.STANDS_IN, True, False),
        (Part.STANDS_IN, False, True),
        (Part.LISTENS, True, False),
        (Part.LISTENS, False, False),  # another process may have it
    ],
)
def test_a_worker_gets_the_socket_from_which_nobody_accepts(part: Part, has_it: bool, expected: bool) -> None:
    assert is_for_worker(part, has_it=has_it) is expected


@pytest.mark.parametrize(
    ("part", "is_same", "expected"),
    [
        (Part.BOUND, True, Part.LISTENS),
        (Part.BOUND, False, Part.LISTENS),  # a worker that has inherited it
        (Part.STANDS_IN, True, Part.STANDS_IN),  # with another backlog
        (Part.STANDS_IN, False, Part.LISTENS),  # the one that has only bound it until now
        (Part.LISTENS, True, Part.LISTENS),
        (Part.LISTENS, False, Part.LISTENS),
    ],
)
def test_who_calls_listen_accepts(part: Part, is_same: bool, expected: Part) -> None:
    assert part_after_listen(part, is_same=is_same) is expected


@pytest.mark.parametrize(("hook", "serves", "has_last"), [
    (None, False, True), (Hook.PRE_STOP, True, True), (Hook.STOP_COMMAND, False, False),
])  # fmt: skip
def test_a_process_that_is_to_end_serves_until_it_is_asked_to(hook: Hook | None, serves: bool, has_last: bool) -> None:
    run = None if hook is None else HookRun(hook, 1, 100.0, 105.0, 7)
    svc = Service("web", state=State.TERMINATING, then=Then.STOP, hook=run)
    assert (serves_on(svc), has_last_clients(svc)) == (serves, has_last)
    assert not serves_on(Service("web", state=State.RUNNING, hook=run))
