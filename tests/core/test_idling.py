"""When a service that nobody uses is stopped: events and the effects that are expected of them, with literal times."""

from collections.abc import Mapping

import pytest

from supervisor.core import events as ev
from supervisor.core.service import Service, Timeouts, step
from supervisor.core.service.clients import keeps_clients
from supervisor.core.service.snapshot import NO_HOOKS
from supervisor.core.state import Hook, Result, State, Then
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of

DOCS = Service("docs", (8100,), timeouts=Timeouts(grace=10.0, idle=100.0, min_up=30.0))


def running(since: float = 0.0, hooks: Mapping[Hook, float] = NO_HOOKS) -> Service:
    starting = replace(DOCS, state=State.STARTING, port=8100, pid=7, deadline=30.0, hooks=hooks)
    docs, _ = step(starting, ev.BecameReady(7), since)
    return docs


def unused(at: float = 100.0) -> Service:
    """One whose clients were counted, and nobody was there."""
    docs, effects = step(running(), ev.DeadlinePassed(), at)
    assert effects == (ev.CountClients(7),)
    docs, effects = step(docs, ev.ClientsCounted(7, 0), at)
    assert effects == (ev.MakeSureUnused(7),)
    return docs


def test_nothing_is_due_before_its_time_has_passed() -> None:
    assert running().next_deadline == 100.0
    docs, effects = step(running(), ev.DeadlinePassed(), 99.9)
    assert (docs.state, effects) == (State.RUNNING, ())


def test_a_service_without_idle_stop_has_no_deadline() -> None:
    assert replace(running(), timeouts=Timeouts()).timeouts.idle == 0.0
    docs, _ = step(replace(DOCS, timeouts=Timeouts(), state=State.STARTING, port=8100, pid=7), ev.BecameReady(7), 0.0)
    assert docs.next_deadline is None


def test_one_that_nobody_uses_is_stopped_and_waits_for_its_next_client() -> None:
    docs = unused()
    assert docs.next_deadline is None, "until it is known whether anything speaks against it"
    docs, effects = step(docs, ev.FoundUnused(7), 100.0)
    assert (docs.state, docs.then, effects) == (State.TERMINATING, Then.IDLE, (ev.Terminate(7),))
    assert text_of(docs.reason) == "nobody used it for 100 s"
    assert keeps_clients(docs)
    docs, effects = step(docs, ev.Exited(7, signal=15), 101.0)
    assert (docs.state, docs.result, effects) == (State.IDLE, Result.NONE, (ev.AwaitClients(8100),))
    assert docs.restarts == 0
    docs, effects = step(docs, ev.Called(), 102.0)
    assert (docs.state, docs.clients_until) == (State.WAITING, 132.0)
    assert keeps_clients(docs), "also one that starts with the stack"


def test_it_is_not_counted_again_before_its_time_while_a_client_stays() -> None:
    docs, _ = step(running(), ev.DeadlinePassed(), 100.0)
    docs, effects = step(docs, ev.ClientsCounted(7, 1), 100.0)
    assert (docs.next_deadline, effects) == (200.0, ())


def test_the_clock_starts_when_the_last_client_has_left() -> None:
    docs, effects = step(running(), ev.ClientLeft(7), 50.0)
    assert (docs.next_deadline, effects) == (60.0, ()), "a look soon, for a crowd that leaves"
    docs, effects = step(docs, ev.DeadlinePassed(), 60.0)
    assert effects == (ev.CountClients(7),)
    docs, effects = step(docs, ev.ClientsCounted(7, 0), 60.0)
    assert (docs.next_deadline, effects) == (150.0, ())
    docs, effects = step(docs, ev.DeadlinePassed(), 150.0)
    docs, effects = step(docs, ev.ClientsCounted(7, 0), 150.0)
    assert effects == (ev.MakeSureUnused(7),)


def test_a_client_that_came_and_left_between_two_looks_starts_the_clock_again() -> None:
    docs, _ = step(running(), ev.DeadlinePassed(), 100.0)
    docs, effects = step(docs, ev.ClientsCounted(7, 0, has_left=True), 100.0)
    assert (docs.next_deadline, effects) == (200.0, ())


def test_a_client_at_the_last_moment_keeps_it() -> None:
    docs, effects = step(unused(), ev.FoundInUse(7), 100.0)
    assert (docs.state, docs.next_deadline, effects) == (State.RUNNING, 200.0, ())


def test_what_its_check_says_keeps_it_and_is_asked_again_soon() -> None:
    docs, effects = step(unused(), ev.FoundInUse(7, "its processes use 12% of a processor"), 100.0)
    assert (docs.state, docs.next_deadline, effects) == (State.RUNNING, 110.0, ())
    docs, effects = step(docs, ev.DeadlinePassed(), 110.0)
    docs, effects = step(docs, ev.ClientsCounted(7, 0), 110.0)
    assert effects == (ev.MakeSureUnused(7),)


def test_who_can_only_be_served_by_the_next_process_does_not_wait_for_long() -> None:
    docs, _ = step(running(), ev.DeadlinePassed(), 100.0)
    busy, effects = step(docs, ev.ClientsCounted(7, 1, waiting=2), 100.0)
    assert (busy.next_deadline, effects) == (110.0, ())
    docs, effects = step(docs, ev.ClientsCounted(7, 0, has_left=True, waiting=2), 100.0)
    assert (docs.next_deadline, effects) == (None, (ev.MakeSureUnused(7),))


def test_it_is_up_for_a_while_at_least() -> None:
    docs = replace(DOCS, timeouts=Timeouts(idle=5.0, min_up=30.0), state=State.STARTING, port=8100, pid=7)
    docs, _ = step(docs, ev.BecameReady(7), 1.0)
    assert docs.next_deadline == 31.0
    docs, _ = step(docs, ev.ClientLeft(7), 2.0)
    assert docs.next_deadline == 31.0


def test_the_one_deadline_is_that_of_what_comes_first() -> None:
    docs = replace(running(), deadline=40.0)  # of its watchdog
    assert docs.next_deadline == 40.0
    assert replace(docs, deadline=400.0).next_deadline == 100.0


def test_a_hook_or_a_second_process_is_waited_for() -> None:
    docs = running(hooks={Hook.POST_START: 500.0})
    docs, effects = step(docs, ev.DeadlinePassed(), 100.0)
    assert (docs.next_deadline, effects) == (110.0, ())
    docs, _ = step(running(), ev.RollRequested(), 99.0)
    docs, _ = step(docs, ev.Spawned(8), 99.0)
    docs, effects = step(docs, ev.DeadlinePassed(), 100.0)
    assert (docs.state, docs.next_deadline, effects) == (State.RUNNING, 110.0, ())


@pytest.mark.parametrize("event", [ev.ClientsCounted(7, 0), ev.FoundUnused(7), ev.FoundInUse(7)])
def test_what_is_found_while_a_next_process_is_prepared_is_asked_again(event: ev.Event) -> None:
    docs = replace(unused(), hooks={Hook.PRE_START: 500.0})
    docs, _ = step(docs, ev.RollRequested(), 100.0)
    docs, effects = step(docs, event, 100.0)
    assert (docs.state, docs.next_deadline, effects) == (State.RUNNING, 110.0, ())


@pytest.mark.parametrize("event", [ev.ClientLeft(8), ev.ClientsCounted(8, 0), ev.FoundUnused(8), ev.FoundInUse(8)])
def test_what_is_said_of_another_process_is_ignored(event: ev.Event) -> None:
    assert step(unused(), event, 100.0) == (unused(), ())


def test_a_stop_by_hand_wins() -> None:
    docs, _ = step(unused(), ev.FoundUnused(7), 100.0)
    docs, _ = step(docs, ev.StopRequested(), 100.5)
    assert not keeps_clients(docs)
    docs, _ = step(docs, ev.Exited(7, signal=15), 101.0)
    assert docs.state is State.STOPPED


def test_a_start_by_hand_while_it_stops_starts_it_at_once() -> None:
    docs, _ = step(unused(), ev.FoundUnused(7), 100.0)
    docs, _ = step(docs, ev.StartRequested(), 100.5)
    docs, effects = step(docs, ev.Exited(7, signal=15), 101.0)
    assert effects == (ev.Spawn(8100),)


def test_a_reload_may_give_and_take_it() -> None:
    docs = replace(running(), timeouts=Timeouts())
    docs, _ = step(docs, ev.IdlingChanged(), 10.0)
    assert docs.next_deadline is None
    docs, _ = step(replace(docs, timeouts=DOCS.timeouts), ev.IdlingChanged(), 20.0)
    assert docs.next_deadline == 120.0
