"""A random walk through the life of a whole stack: what the rules between services promise, they keep."""

import random
from collections import Counter
from collections.abc import Mapping

import pytest

from supervisor.core import events as ev
from supervisor.core import stack as rules
from supervisor.core.conditions import Verdict
from supervisor.core.order import Condition, with_dependencies
from supervisor.core.relations import Relations
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import Service, Timeouts, step
from supervisor.core.service.product import flaw
from supervisor.core.state import AT_REST, CAN_STAY, IS_LIVE, State
from supervisor.dataclass import dataclass, field
from tests.support.budget import budget

S = State


@dataclass(slots=True)
class Member:
    """One service of the made-up stack."""

    service: Service
    needs: Mapping[str, Condition]
    restarts_with: frozenset[str]
    is_wanted: bool = False
    starts: int = 0
    seen_starts: dict[str, int] = field(default_factory=dict)
    seen_ports: dict[str, int] = field(default_factory=dict)
    least: int = 1

    @property
    def replicas(self) -> "list[Member]":
        return [self]


class Stack:
    """Services with dependencies made at random, whose processes do what comes to their mind."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now, self.pid = 0.0, 0
        self.met: Counter[str] = Counter()
        self.members: dict[str, Member] = {}
        for number in range(self.random.choice((2, 4, 6))):
            name = f"s{number}"
            others = [other for other in self.members if self.random.random() < 0.4]
            needs = {other: self.random.choice(list(Condition)) for other in others}
            follows = frozenset(other for other in others if self.random.random() < 0.3)
            policy = RestartPolicy(self.random.choice(list(Restart)), max_restarts=2, delay=0.5)
            service = Service(
                name, (8000 + number, 9000 + number), policy, Timeouts(ready=5.0, grace=2.0), rotate_after=1,
                one_shot=self.random.random() < 0.2, on_connect=self.random.random() < 0.2,
            )  # fmt: skip
            self.members[name] = Member(service, needs, follows)
        self.relations = Relations(self.members)
        self.is_stopping, self.in_order = False, True
        self.asked: set[str] = set()

    def tell(self, name: str, event: ev.Event) -> None:
        member = self.members[name]
        before = member.service
        member.service, effects = step(before, event, self.now)
        after = member.service
        if after.pid is not None and after.pid != before.pid:
            member.starts += 1
            member.seen_starts = {need: self.members[need].starts for need in member.restarts_with}
            member.seen_ports = {need: self.members[need].service.port or 0 for need in member.needs}
        for effect in effects:
            match effect:
                case ev.LeasePort(avoid):
                    free = [port for port in before.pool if port not in dict(avoid)]
                    self.tell(name, ev.PortLeased(free[0]) if free else ev.NoPort(()))
                case ev.Spawn():
                    self.pid += 1
                    is_bad = self.random.random() < 0.1
                    self.tell(name, ev.SpawnFailed("no such file") if is_bad else ev.Spawned(self.pid))
                case ev.Abandon(pid):
                    self.tell(name, ev.Exited(pid))

    def settle(self) -> None:
        """The rules, until none of them has anything to say."""
        for _ in range(200):
            if self.is_stopping:
                told = self.stop_further()
            else:
                told = self.open_gates() or self.follow()
            if not told:
                return
        pytest.fail("the rules never come to an end")

    def open_gates(self) -> bool:
        for name, member in self.members.items():
            if woken := rules.to_wake(member, self.members):
                self.tell(woken[0], ev.StartRequested())
                self.met["woken"] += 1
                return True
            said = rules.gate(member, self.members)
            if said is None:
                continue
            if isinstance(said, ev.DependenciesMet):
                for need, condition in member.needs.items():
                    assert rules.verdict_on(self.members[need], condition) is Verdict.MET
            before = member.service
            self.tell(name, said)
            assert member.service is not before, "what the rules say has an effect, or they would say it again"
            self.met[type(said).__name__] += 1
            return True
        return False

    def follow(self) -> bool:
        for name, restart in rules.followers(self.members, self.relations).items():
            assert self.members[name].service.state in IS_LIVE
            for need in with_dependencies(self.relations.graph(), (name,)) - {name}:
                assert self.members[need].service.state in CAN_STAY, "nobody it needs is on its way"
            self.tell(name, restart)
            self.met["follower"] += 1
            return True
        for name, member in self.members.items():
            if ports := rules.moved(member, self.members):
                member.seen_ports = {**member.seen_ports, **ports}
                self.tell(name, ev.RestartRequested("moved"))
                self.met["moved"] += 1
                return True
        return False

    def busy(self) -> set[str]:
        return {name for name, member in self.members.items() if member.service.state not in AT_REST}

    def stop_further(self) -> bool:
        busy = self.busy()
        stopping = rules.to_stop(self.members, busy, self.relations, in_order=self.in_order) - self.asked
        assert busy == set() or stopping or self.asked & busy, "somebody is always asked"
        self.asked |= stopping
        for name in sorted(stopping):
            if self.in_order:
                assert busy.isdisjoint(self.relations.dependants(name)), "nobody loses what it needs"
            self.members[name].is_wanted = False
            self.tell(name, ev.StopRequested(is_urgent=not self.in_order))
            self.met["stop"] += 1
        return bool(stopping)

    def turn(self) -> None:
        self.now += self.random.random() * 4
        name = self.random.choice(list(self.members))
        member = self.members[name]
        pid = member.service.pid
        if pid is None or self.random.random() < 0.15:
            self.by_hand(name, member)
        else:
            code = self.random.choice((0, 0, 1))
            happens: tuple[ev.Event, ...] = (
                ev.BeganListening(pid), ev.BecameReady(pid), ev.BecameReady(pid), ev.Exited(pid, code=code),
                ev.DeadlinePassed(), ev.Exited(pid, code=1, intruder="held by `node`"),
            )  # fmt: skip
            self.tell(name, self.random.choice(happens))
        self.settle()
        for each in self.members.values():
            assert flaw(each.service) is None

    def by_hand(self, name: str, member: Member) -> None:
        """Somebody starts or stops it, or time goes by."""
        wish = self.random.random()
        if member.service.state is S.IDLE and not self.is_stopping and wish < 0.6:
            self.tell(name, ev.Called())
        elif member.service.on_connect and member.service.state in AT_REST and not self.is_stopping and wish < 0.5:
            member.is_wanted = True
            self.tell(name, ev.AwaitRequested())
        elif self.is_stopping or wish < 0.4:
            self.tell(name, ev.DeadlinePassed())
        elif wish < 0.85:
            for need in sorted(with_dependencies(self.relations.graph(), (name,))):
                self.members[need].is_wanted = True
                if self.members[need].service.state in rules.STARTABLE:
                    self.tell(need, ev.StartRequested())
        else:
            member.is_wanted = False
            self.tell(name, ev.StopRequested())


@pytest.fixture(scope="module")
def stacks() -> list[Stack]:
    """Stacks that have lived for a while; whatever a rule said was looked at."""
    made = [Stack(seed) for seed in range(budget(30, 3000))]
    for stack in made:
        for _ in range(60):
            stack.turn()
    return made


def test_every_rule_speaks_and_each_time_it_may(stacks: list[Stack]) -> None:
    met = sum((stack.met for stack in stacks), Counter[str]())
    assert {"DependenciesMet", "DependencyFailed", "follower", "moved", "woken"} <= met.keys()


def test_whoever_may_start_has_started(stacks: list[Stack]) -> None:
    for stack in stacks:
        waiting = [member for member in stack.members.values() if member.service.state is S.WAITING]
        assert [rules.gate(member, stack.members) for member in waiting] == [None] * len(waiting)


@pytest.mark.parametrize("in_order", [True, False])
def test_a_stop_ends_all_and_in_order_nobody_loses_what_it_needs(in_order: bool) -> None:
    for seed in range(budget(30, 3000)):
        stack = Stack(seed)
        for _ in range(40):
            stack.turn()
        stack.is_stopping, stack.in_order = True, in_order
        stack.settle()
        for _ in range(50):
            if not stack.busy():
                break
            for name in sorted(stack.busy()):
                if (pid := stack.members[name].service.pid) is not None and name in stack.asked:
                    stack.tell(name, ev.Exited(pid, code=0))
            stack.settle()
        assert stack.busy() == set()
