"""Who may start within a budget, and who makes room for that."""

from typing import Any

from supervisor.core import events as ev
from supervisor.core.budget import Cost, Limits, Plan, held_by, plan
from supervisor.core.reasons import NoRoom
from supervisor.core.service import Service, Timeouts, step
from supervisor.core.state import Result, State, Then
from supervisor.dataclass import dataclass, replace
from supervisor.words.reasons import text_of

GB = 1024**3


@dataclass(frozen=True, slots=True)
class Tenant:
    service: Service
    cost: Cost


def tenant(name: str, state: State = State.RUNNING, cost: int = 2, used_at: float = 0.0, **more: Any) -> Tenant:
    """A service that may make room, and costs so many GB."""
    pid = 7 if state in (State.STARTING, State.RUNNING, State.TERMINATING) else None
    svc = replace(Service(name, (8000,), can_make_room=True, on_connect=True), state=state, pid=pid, used_at=used_at)
    return Tenant(replace(svc, **more), Cost(cost * GB))


def planned(queue: str, *tenants: Tenant, limit: int = 4, needs: str = "") -> Plan:
    named = {each.service.name: each for each in tenants}
    return plan(list(queue), named, Limits(limit * GB), lambda name: list(needs))


def waiting(name: str, cost: int = 2) -> Tenant:
    return tenant(name, State.WAITING, cost)


def test_what_fits_starts_and_what_has_no_process_costs_nothing() -> None:
    others = (tenant("a"), tenant("b", State.IDLE), tenant("c", State.STOPPED), waiting("d"))
    assert planned("d", *others) == Plan(admitted=["d"])
    assert held_by({each.service.name: each for each in others}) == Cost(2 * GB)


def test_the_one_that_was_used_longest_ago_makes_room() -> None:
    made = planned("d", tenant("a", used_at=9.0), tenant("b", used_at=3.0), waiting("d"))
    assert (made.admitted, made.stopped) == ([], {"b": "d"})
    assert made.waiting["d"] == NoRoom("memory", 2 * GB, 0, ("a", "b"), False), "it may yet turn out to be in use"
    gone = tenant("b", State.TERMINATING, then=Then.IDLE)
    assert text_of(planned("d", tenant("a"), gone, waiting("d")).waiting["d"]) == (
        "it needs 2 GB of memory, and 0 MB of the budget are free; it waits until `b` has stopped"
    )


def test_as_many_make_room_as_it_takes_and_nobody_where_all_are_not_enough() -> None:
    two = (tenant("a", used_at=9.0), tenant("b", used_at=3.0))
    assert planned("d", *two, waiting("d", 4)).stopped == {"b": "d", "a": "d"}
    in_use = tenant("a", in_use=True)
    made = planned("d", in_use, two[1], waiting("d", 3))
    assert (made.admitted, made.stopped) == ([], {})
    assert made.waiting["d"] == NoRoom("memory", 3 * GB, 0, ("a", "b"), False)


def test_nobody_makes_room_who_cannot_or_who_is_needed_by_the_one_that_waits() -> None:
    starting, stays = tenant("a", State.STARTING), tenant("b", can_make_room=False)
    assert planned("d", starting, stays, waiting("d")).stopped == {}
    assert planned("d", tenant("a"), tenant("b", in_use=True), waiting("d"), needs="a").stopped == {}


def test_room_that_is_made_for_one_is_not_taken_by_a_later_one() -> None:
    leaving = tenant("a", State.TERMINATING, 4, then=Then.IDLE)
    made = planned("de", leaving, waiting("d", 3), waiting("e"))
    assert (made.admitted, made.stopped, list(made.waiting)) == ([], {}, ["d", "e"])
    assert made.waiting["d"].leaving
    assert not made.waiting["e"].leaving
    assert planned("e", leaving, waiting("e")).admitted == []


def test_one_that_waits_in_vain_does_not_keep_a_smaller_one_from_starting() -> None:
    made = planned("de", tenant("a", in_use=True), waiting("d", 3), waiting("e", 1))
    assert (made.admitted, list(made.waiting)) == (["e"], ["d"])


def test_each_kind_of_memory_has_a_limit_of_its_own() -> None:
    tenants = {
        "gpu": Tenant(tenant("gpu").service, Cost(0, 8 * GB)),
        "ram": Tenant(tenant("ram").service, Cost(8 * GB)),
        "new": Tenant(waiting("new").service, Cost(1 * GB, 8 * GB)),
    }
    made = plan(["new"], tenants, Limits(None, 10 * GB), lambda name: ())
    assert made.stopped == {"gpu": "new"}, "only one that has what is missing"
    assert "GPU memory" in text_of(made.waiting["new"])


# What it means to the service.

MODEL = Service("a", (8000,), timeouts=Timeouts(clients=20.0), on_connect=True, can_make_room=True)


def running(now: float = 5.0) -> Service:
    starting = replace(MODEL, state=State.STARTING, port=8000, pid=7, deadline=30.0)
    made, _ = step(starting, ev.BecameReady(7), now)
    return made


def asked() -> Service:
    made, effects = step(running(), ev.RoomNeeded("b"), 65.0)
    assert (made.makes_room_for, effects) == ("b", (ev.MakeSureUnused(7),))
    return made


def test_one_that_nobody_uses_goes_and_says_for_whom() -> None:
    made, effects = step(asked(), ev.FoundUnused(7), 65.0)
    assert (made.state, made.then, effects) == (State.TERMINATING, Then.IDLE, (ev.Terminate(7),))
    assert text_of(made.reason) == "`b` needs its room in the budget, and nobody used it for 60 s"
    made, effects = step(made, ev.Exited(7, signal=15), 66.0)
    assert (made.state, made.makes_room_for, effects) == (State.IDLE, "", (ev.AwaitClients(8000),))


def test_one_in_use_stays_and_is_asked_again_only_when_somebody_has_left() -> None:
    made, effects = step(asked(), ev.FoundInUse(7), 65.0)
    assert (made.state, made.in_use, made.used_at, effects) == (State.RUNNING, True, 65.0, ())
    assert step(made, ev.RoomNeeded("b"), 65.1) == (made, ())
    made, effects = step(made, ev.DeadlinePassed(), made.next_deadline or 0.0)
    assert effects == (ev.CountClients(7),), "so that it is heard who leaves"
    made, _ = step(made, ev.ClientsCounted(7, 1), 65.5)
    assert (made.in_use, made.next_deadline) == (True, None)
    made, _ = step(made, ev.ClientLeft(7), 70.0)
    assert (made.in_use, made.used_at) == (False, 70.0)
    assert step(made, ev.RoomNeeded("b"), 70.0)[1] == (ev.MakeSureUnused(7),)


def test_one_that_is_replaced_meanwhile_may_be_asked_again() -> None:
    made, _ = step(asked(), ev.RollRequested(), 66.0)
    made, _ = step(made, ev.FoundUnused(7), 66.0)
    assert (made.state, made.makes_room_for) == (State.RUNNING, "")


def test_a_start_waits_for_room_until_its_clients_are_refused() -> None:
    made, _ = step(replace(MODEL, state=State.IDLE, port=8000), ev.Called(), 100.0)
    made, _ = step(made, ev.RoomLacking(NoRoom("memory", 2 * GB, GB, ("b",))), 103.0)
    assert (made.state, made.next_deadline) == (State.WAITING, 120.0)
    started, effects = step(made, ev.DependenciesMet(), 110.0)
    assert (started.state, started.reason, started.deadline) == (State.STARTING, "", None)
    assert effects == (ev.Spawn(8000),)
    made, effects = step(made, ev.DeadlinePassed(), 120.0)
    assert (made.state, effects) == (State.IDLE, (ev.RefuseClients(), ev.AwaitClients(8000)))


def test_a_start_by_hand_that_finds_no_room_fails_and_says_why() -> None:
    made = replace(MODEL, on_connect=False, state=State.WAITING, port=8000)
    made, _ = step(made, ev.RoomLacking(NoRoom("memory", 2 * GB, GB, ("b",))), 100.0)
    made, effects = step(made, ev.DeadlinePassed(), 120.0)
    assert (made.state, made.result, effects) == (State.FAILED, Result.TIMEOUT, ())
    assert text_of(made.reason) == "it needs 2 GB of memory, and 1 GB of the budget are free; the rest is used by `b`"
