"""A random walk through the life of a service against a model of the world, and the table held against it."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from supervisor.core import events as ev
from supervisor.core.reasons import NoRoom
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.sd_notify import Notification, parse
from supervisor.core.service import Service, Timeouts, can_roll, step
from supervisor.core.service.product import flaw
from supervisor.core.state import IS_LIVE, TRANSITIONS, Hook, Role, State
from tests.support.budget import LONG, budget

S = State
POOL = (8000, 8001, 8002)
ENDING = (S.TERMINATING, S.KILLING, S.CLEANING)

# What may happen. Only what is picked of the rest is made: that takes most of the time.
AT_ANY_TIME: tuple[ev.Event, ...] = (
    ev.StartRequested(), ev.StopRequested(), ev.StopRequested(0.0), ev.KillRequested(), ev.RestartRequested(),
    ev.AwaitRequested(), ev.Called(), ev.IdlingChanged(), ev.AwaitFailed("no handoff"),
    ev.RotateRequested(), ev.DependenciesMet(), ev.DependenciesMet(), ev.DependencyFailed("db failed"),
    *[ev.DeadlinePassed()] * 4, ev.RollRequested(), ev.HookEnded(999), ev.StopRequested(0.1, is_urgent=True),
    ev.Faulted("an internal error"),
    ev.RoomLacking(NoRoom("memory", 2 << 30, 1 << 30, ("api",))),
)  # fmt: skip
GOOD = tuple(
    each
    for each in AT_ANY_TIME
    if isinstance(each, ev.StartRequested | ev.Called | ev.DependenciesMet | ev.DeadlinePassed)
)
OF_STRANGERS: tuple[ev.Event, ...] = (
    ev.Exited(999, code=1), ev.BecameReady(999), ev.MainExited(999, code=0),
    ev.Notified(999, Notification(is_stopping=True)),
)  # fmt: skip
Make = Callable[["World", int], ev.Event]
OF_A_PROCESS: tuple[Make, ...] = (
    lambda _, pid: ev.Exited(pid, code=0),
    lambda _, pid: ev.Exited(pid, code=1),
    lambda _, pid: ev.Exited(pid, signal=9),
    lambda _, pid: ev.Exited(pid, code=1, intruder="held by `node`"),
    lambda _, pid: ev.MainExited(pid, code=1),
    lambda _, pid: ev.Survived(pid, "pid 9 (`sudo`) runs as root"),
    lambda _, pid: ev.BeganListening(pid),
    *[lambda _, pid: ev.BecameReady(pid)] * 2,
    lambda _, pid: ev.BecameHealthy(pid),
    lambda _, pid: ev.CheckFailed(pid, "503"),
    lambda _, pid: ev.Intruded(pid, "held by `node`"),
    lambda _, pid: ev.ProbeFailed(pid, "listens on 1"),
    lambda _, pid: ev.ClientLeft(pid),
    lambda _, pid: ev.ClientsCounted(pid, 0),
    lambda _, pid: ev.ClientsCounted(pid, 1, has_left=True),
    lambda _, pid: ev.FoundInUse(pid, "busy"),
    lambda _, pid: ev.Faulted("an internal error", pid),
    lambda _, __: ev.RoomNeeded("api"),
    *[lambda world, pid: ev.Notified(pid, world.notice())] * 2,
)


class World:
    """Answers effects at random, and holds the service to what it may ask for."""

    def __init__(self, seed: int, seen: Counter[tuple[State, State]]) -> None:
        self.random = random.Random(seed)
        self.seen = seen
        policy = RestartPolicy(
            restart=self.random.choice(list(Restart)),
            max_restarts=self.random.choice([0, 1, 3]),
            period=self.random.choice([5.0, 500.0]),
            delay=self.random.choice([0.0, 0.5]),
        )
        pool = self.random.choice([(), POOL])
        timeouts = Timeouts(
            ready=self.random.choice([1.0, 30.0]), watchdog=self.random.choice([0.0, 3.0, 1000.0]),
            idle=self.random.choice([0.0, 2.0]) if pool else 0.0, min_up=self.random.choice([0.0, 5.0]),
        )  # fmt: skip
        self.hooks = {hook: self.random.choice([1.0, 30.0]) for hook in Hook if self.random.random() < 0.6}
        self.hooks = self.hooks if self.random.random() < 0.5 else {}
        self.svc = Service(
            "web", pool, policy, timeouts, rotate_after=self.random.choice([1, 3]), hooks=self.hooks,
            on_connect=bool(pool) and self.random.random() < 0.4, unhealthy_after=self.random.choice([1, 2]),
            is_ready_by_listening=bool(pool) and self.random.random() < 0.2,
            can_make_room=bool(pool) and self.random.random() < 0.3,
            is_scheduled=not pool and self.random.random() < 0.4,
        )  # fmt: skip
        self.hook: ev.RunHook | None = None  # the one that runs
        self.is_asked = False  # whether anybody uses it
        self.ran: list[Hook] = []
        self.rolls = self.random.random() < 0.4  # it is restarted without a gap whenever that can be
        self.lasts = self.random.random() < 0.4  # hardly anybody wants it to stop
        self.now = 0.0
        self.processes: set[int] = set()
        self.next_pid = 1
        self.roles: Counter[tuple[Role, State]] = Counter()

    def tell(self, event: ev.Event) -> None:
        before = self.svc
        self.svc, effects = step(before, event, self.now)
        if self.svc.state is not before.state:
            self.seen[before.state, self.svc.state] += 1
        for effect in effects:
            self.carry_out(effect)

    def carry_out(self, effect: ev.Effect) -> None:
        match effect:
            case ev.LeasePort(avoid):
                assert not self.processes
                free = [port for port in POOL if port not in dict(avoid)]
                if not self.svc.pool:
                    self.tell(ev.PortLeased(None))
                elif free and self.random.random() < 0.9:
                    self.tell(ev.PortLeased(self.random.choice(free)))
                else:
                    self.tell(ev.NoPort(tuple((port, "taken") for port in POOL)))
            case ev.AwaitClients(port):
                assert not self.processes
                assert (self.svc.state, self.svc.can_idle, port) == (S.IDLE, True, self.svc.port)
            case ev.CountClients(pid) | ev.MakeSureUnused(pid):
                assert pid in self.processes
                assert self.svc.is_watched
                assert self.svc.beside is None
                assert self.svc.hook is None
                self.is_asked = isinstance(effect, ev.MakeSureUnused)
            case ev.RefuseClients():
                assert self.svc.state is not S.RUNNING
            case ev.Spawn(port):
                assert not self.processes
                assert self.hook is None
                assert Hook.PRE_START not in self.svc.hooks or self.ran[-1] is Hook.PRE_START
                assert (port in POOL) == bool(self.svc.pool)
                self.spawn()
            case ev.SpawnBeside(port):
                assert self.processes == {self.svc.pid}
                assert (self.svc.state, port) == (S.RUNNING, self.svc.port)
                self.spawn()
            case ev.Terminate(pid) | ev.Abort(pid) | ev.Kill(pid):
                assert pid in self.processes
            case ev.Abandon(pid):
                self.processes.remove(pid)
                self.tell(ev.Exited(pid))
            case ev.QuarantinePort(port):
                assert port in POOL
            case ev.RunHook(hook, _, pid):
                self.run(hook, pid)
                self.hook = effect
                if self.random.random() < 0.1:
                    self.end_hook("cannot be run", is_final=True)
            case ev.EndHook(number):
                assert self.hook is not None
                assert self.hook.number == number
                self.hook = None

    def run(self, hook: Hook, pid: int | None) -> None:
        """A hook begins: alone, in its place, and about the process that it is for."""
        assert self.hook is None
        assert hook in self.svc.hooks
        match hook:
            case Hook.PRE_START if self.svc.beside is None:
                assert not self.processes
                assert pid is None
                assert not self.ran or Hook.POST_STOP not in self.svc.hooks or self.ran[-1] is Hook.POST_STOP
            case Hook.POST_STOP:
                assert not self.processes
            case Hook.STOP_COMMAND:
                assert self.svc.state is S.TERMINATING
                assert pid in self.processes
            case _:
                assert pid in self.processes
        self.ran.append(hook)

    def end_hook(self, why: str = "", *, is_final: bool = False) -> None:
        """The hook that runs ends by itself."""
        assert self.hook is not None
        number, self.hook = self.hook.number, None
        self.tell(ev.HookEnded(number, why, is_final))

    def spawn(self) -> None:
        if self.random.random() < 0.85:
            self.processes.add(self.next_pid)
            self.next_pid += 1
            self.tell(ev.Spawned(self.next_pid - 1))
        else:
            self.tell(ev.SpawnFailed("no such file", is_transient=self.random.random() < 0.5))

    def turn(self) -> None:
        self.now += self.random.random() * self.random.choice([0.1, 4.0, 12.0])
        if self.is_asked and self.random.random() < 0.5:
            self.is_asked = False
            self.tell(self.random.choice([ev.FoundUnused, ev.FoundInUse])(self.svc.pid or 0))
            return
        if self.hook is not None and self.random.random() < 0.4:
            self.end_hook(self.random.choice(["", "", "ended with exit code 1"]))
            return
        of_processes = [(make, pid) for pid in self.processes for make in OF_A_PROCESS]
        said: Sequence[ev.Event | tuple[Make, int]] = (*AT_ANY_TIME, *OF_STRANGERS, *of_processes)
        if self.lasts and self.random.random() < 0.95:
            said = (*GOOD, *of_processes)
        elif self.random.random() < 0.02:
            said = [ev.LockLost(8000, "deleted")]
        elif self.rolls and can_roll(self.svc):
            said = [ev.RollRequested(), ev.RollRequested(0.5)]
        elif self.rolls and self.processes and self.random.random() < 0.9:
            said = (*OF_STRANGERS, *of_processes)
        picked = self.random.choice(said)
        event = picked[0](self, picked[1]) if isinstance(picked, tuple) else picked
        if isinstance(event, ev.Exited):
            self.processes.discard(event.pid)
        self.tell(event)

    def notice(self) -> Notification:
        said = (
            b"READY=1", b"RELOADING=1", b"STOPPING=1", b"STATUS=busy", b"WATCHDOG=1", b"WATCHDOG=trigger",
            b"WATCHDOG_USEC=0", b"WATCHDOG_USEC=2000000", b"EXTEND_TIMEOUT_USEC=9000000", b"MAINPID=12",
        )  # fmt: skip
        notice = parse(b"\n".join(self.random.sample(said, self.random.choice((1, 1, 3)))))
        assert notice is not None
        return notice

    def check(self) -> None:
        svc = self.svc
        assert flaw(svc) is None
        assert svc.state is not S.ACQUIRING
        beside = svc.beside
        assert self.processes == ({svc.pid, beside.pid if beside else None} - {None})
        if beside is not None:
            self.roles[beside.role, svc.state] += 1
            assert beside.pid != svc.pid
            assert beside.role is Role.DOOMED or beside.deadline is not None or beside.pid is None
        assert (svc.hook.number if svc.hook else None) == (self.hook.number if self.hook else None)
        assert not svc.makes_room_for or (svc.state, svc.can_make_room) == (S.RUNNING, True) or svc.state in ENDING
        is_watched = svc.state is S.RUNNING and svc.watchdog > 0
        assert svc.state not in IS_LIVE or (svc.deadline is not None) == (is_watched or svc.state is S.STARTING)
        if svc.state in (S.IDLE, S.PREPARING, S.STARTING, S.RUNNING, S.WAITING, S.BACKOFF, S.CLEANING):
            assert (svc.port in POOL) == bool(svc.pool)


DECLARED = {(a, b) for a, bs in TRANSITIONS.items() for b in bs}
ROLES = {
    *((role, state) for role in (Role.LEAVING, Role.DOOMED) for state in (S.RUNNING, S.TERMINATING, S.KILLING)),
    (Role.SUCCESSOR, S.RUNNING), (Role.DOOMED, S.STARTING),
}  # fmt: skip


class Walk(NamedTuple):
    """What the walks have seen: states that followed one another, and what a second process was there for."""

    seen: Counter[tuple[State, State]]
    roles: Counter[tuple[Role, State]]


@pytest.fixture(scope="module")
def walk() -> Walk:
    seen: Counter[tuple[State, State]] = Counter()
    roles: Counter[tuple[Role, State]] = Counter()
    for seed in range(budget(80, 6000)):
        world = World(seed, seen)
        for _ in range(60):
            world.turn()
            world.check()
        roles += world.roles
    return Walk(seen, roles)


def test_no_transition_happens_but_the_declared_ones(walk: Walk) -> None:
    assert set(walk.seen) <= DECLARED


@pytest.mark.skipif(not LONG, reason="takes a thousand walks: make test-long")
def test_a_second_process_is_met_in_every_state_with_a_process(walk: Walk) -> None:
    assert set(walk.roles) >= ROLES


@pytest.mark.skipif(not LONG, reason="takes a thousand walks: make test-long")
def test_every_declared_transition_happens(walk: Walk) -> None:
    assert set(walk.seen) >= DECLARED


def test_a_stopped_service_can_always_be_brought_to_rest() -> None:
    for seed in range(budget(30, 1000)):
        world = World(seed, Counter())
        for _ in range(30):
            world.turn()
        world.tell(ev.KillRequested())
        for pid in tuple(world.processes):
            world.processes.discard(pid)
            world.tell(ev.Exited(pid, signal=9))
        assert world.svc.pid is None
        assert world.svc.state in (S.STOPPED, S.FAILED)
