"""What is asked of a process, and with which words."""

import errno
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor import system
from supervisor.config.spec import HealthCheck, Probe, ProbeKind, Ready
from supervisor.core import events as ev
from supervisor.core.reasons import ListensElsewhere, NoLineMatches
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.checks import process_checks as module
from supervisor.daemon.checks.process_checks import ProcessChecks
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.stack.endpoints import Endpoint
from supervisor.dataclass import replace
from supervisor.process.output import Stream
from tests.support.fake_world import FakeLoop
from tests.support.scene import CHAIN, Scene

GONE = Probe(ProbeKind.EXEC, "", ("ask", "{port:gone}"))


class Keeper:
    """Of a service with a port."""

    def __init__(self) -> None:
        self.service = Service("other", (8000,), port=8000)
        self.told: list[ev.Event] = []

    def tell(self, event: ev.Event) -> None:
        self.told.append(event)


class Task:
    """Work that goes on until it waits for something."""

    def __init__(self, work: Coroutine[Any, Any, None], *_: object) -> None:
        self.work = work


class Output:
    """What a process prints, and who else wants it."""

    also: Any = None

    def without_secrets(self, data: bytes) -> bytes:
        return data


class Watched:
    """Checks, a service and its process; `ends` are the endpoints that there are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ends: dict[str, Endpoint] = {}
        self.asked: list[Probe] = []
        self.patience: list[float] = []
        self.slot: Slot = Scene(CHAIN).slots["other"]
        self.keeper = Keeper()
        self.slot.keeper = self.keeper  # type: ignore[assignment]
        self.child = self.slot.child = Child(7, Output(), 0.0, {}, {})  # type: ignore[arg-type]
        self.loop = FakeLoop()
        instance: Any = SimpleNamespace(loop=self.loop.itself, runtime=None, number=1)
        programs: Any = SimpleNamespace(endpoints=lambda: self.ends)
        nobody: Any = None
        self.checks = ProcessChecks(instance, programs, nobody, nobody, nobody, nobody)

        async def ask(probe: Probe, asker: object, timeout: float) -> str:
            self.asked.append(probe)
            self.patience.append(timeout)
            return ""

        monkeypatch.setattr(module, "ask", ask)
        monkeypatch.setattr(module, "begin", Task)
        monkeypatch.setattr("supervisor.daemon.checks.process_checks.asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        if self.ends:
            raise StopAsyncIteration
        self.ends["gone"] = Endpoint(9000, (9000,))

    def run(self) -> None:
        """All that was begun."""
        for task in self.child.tasks:
            assert isinstance(task, Task)
            try:
                task.work.send(None)
            except (StopIteration, RuntimeError, StopAsyncIteration):
                continue


def test_whom_a_reload_removes_is_asked_for_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.slot.spec = replace(watched.slot.spec, pool=(), ready=Ready(GONE))
    watched.keeper.service = Service("other")
    watched.checks.watch_start(watched.slot, watched.child)
    watched.run()
    trouble = "cannot fill `{port:gone}`: the port of `gone` is not known"
    assert watched.keeper.told == [ev.ProbeFailed(7, trouble), ev.BecameReady(7)]
    assert [probe.command for probe in watched.asked] == [("ask", "9000")]


def test_a_question_for_readiness_may_take_as_long_as_one_for_health(monkeypatch: pytest.MonkeyPatch) -> None:
    for check, patience in (
        (None, 10.0),
        (HealthCheck(GONE, timeout=1.0), 10.0),
        (HealthCheck(GONE, timeout=30.0), 30.0),
    ):
        watched = Watched(monkeypatch)
        watched.ends["gone"] = Endpoint(9000, (9000,))
        watched.slot.spec = replace(watched.slot.spec, pool=(), ready=Ready(GONE), healthcheck=check)
        watched.keeper.service = Service("other")
        watched.checks.watch_start(watched.slot, watched.child)
        watched.run()
        assert watched.patience == [patience]


def test_a_health_check_of_whom_a_reload_removes_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.slot.spec = replace(watched.slot.spec, healthcheck=HealthCheck(GONE, retries=1))
    watched.checks.watch_health(watched.slot)
    watched.run()
    assert watched.keeper.told == [ev.BecameHealthy(7)]


def test_a_process_is_asked_where_the_one_before_was_if_nobody_can_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a descriptor to look with, neither its start nor the stack ends."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    watched, done = Watched(monkeypatch), []
    monkeypatch.setattr(system, "has_many_sockets", lambda: False, raising=False)
    monkeypatch.setattr(system, "listening", refuse, raising=False)
    watched.checks._note_address(watched.slot, watched.child, 8000, lambda: done.append("asked"))
    assert (done, watched.slot.host) == (["asked"], "127.0.0.1")


def test_the_pattern_of_a_line_has_its_placeholders_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.ends["db"] = Endpoint(9001, (9001,))
    probe = Probe(ProbeKind.LOG, r"^at {host}:{port} \d{2} with {url:db} {{port}}$")
    watched.checks._watch_log(watched.slot, watched.child, probe)
    feed = watched.child.output.also
    assert feed is not None
    feed(Stream.STDOUT, b"at 127x0.0.1:8000 42 with http://127.0.0.1:9001 {port}\n")
    feed(Stream.STDOUT, b"at 127.0.0.1:8001 42 with http://127.0.0.1:9001 {port}\n")
    watched.keeper.service = replace(watched.keeper.service, state=State.STARTING, pid=7)
    watched.loop.advance(0.99)  # what comes within a second is no news
    last = "at 127.0.0.1:8001 42 with http://127.0.0.1:9001 {port}"
    assert watched.keeper.told == [ev.Printed(7, ""), ev.Printed(7, last)]
    watched.loop.advance(0.01)
    trouble = watched.keeper.told[-1]
    pattern = r"^at 127\.0\.0\.1:8000 \d{2} with http://127\.0\.0\.1:9001 {port}$"
    assert trouble == ev.ProbeFailed(7, NoLineMatches(pattern))
    watched.keeper.told.clear()
    feed(Stream.STDOUT, b"at 127.0.0.1:8000 42 with http://127.0.0.1:9001 {port}\n")
    assert watched.keeper.told == [ev.BecameReady(7)]


def test_the_pattern_of_whom_a_reload_removes_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.checks._watch_log(watched.slot, watched.child, Probe(ProbeKind.LOG, "{port:gone}"))
    assert [type(event) for event in watched.keeper.told] == [ev.ProbeFailed]


def test_of_many_other_ports_the_first_ones_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.checks._reporter = SimpleNamespace(drifted=lambda *_: None)  # type: ignore[assignment]
    watched.checks._expectation(watched.slot, watched.child, 8000).on_elsewhere(range(10_000, 10_900))
    (told,) = watched.keeper.told
    assert told == ev.ProbeFailed(7, ListensElsewhere(tuple(range(10_000, 10_020)), 8000, "PORT", 880))
