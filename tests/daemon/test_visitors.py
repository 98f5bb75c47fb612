"""Who is asked whether a service is unused, and what becomes of the answer where something else happened meanwhile."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supervisor import system
from supervisor.config.spec import IdleCheck
from supervisor.core import events as ev
from supervisor.core.reasons import Cause
from supervisor.core.state import State
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.service.visitors import Visitors
from supervisor.dataclass import replace
from tests.support.scene import Scene


class Sockets:
    """Those of a service, with its newcomers, of whom there are none."""

    def __init__(self) -> None:
        self.are_kept = False

    def newcomers(self) -> "Sockets":
        return self

    def keep(self, who: str) -> None:
        self.are_kept = True

    def let_in(self, who: str) -> None:
        self.are_kept = False

    def waiting(self) -> int:
        return 0


class Departures:
    """Nobody leaves."""

    def fileno(self) -> int:
        return 0

    def read(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        pass


class Loop:
    """Hears nothing."""

    def add_reader(self, *_: object) -> None:
        pass

    def remove_reader(self, *_: object) -> None:
        pass


@pytest.fixture
def slot(monkeypatch: pytest.MonkeyPatch) -> Slot:
    """One that runs, and is stopped when nobody uses it."""
    monkeypatch.setattr(system, "open_departures", lambda port: Departures(), raising=False)
    monkeypatch.setattr(system, "connections_on", lambda port: [], raising=False)
    scene = Scene({"web": {}})
    scene.run("web")
    found = scene.slots["web"]
    svc = found.service
    found.keeper.service = replace(svc, timeouts=replace(svc.timeouts, idle=5.0))
    found.shared.sockets = Sockets()  # type: ignore[assignment]
    return found


def keeps_newcomers(slot: Slot) -> bool:
    """Whether who connects waits for the next process."""
    sockets: Any = slot.sockets
    return bool(sockets.are_kept)


def told(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> list[ev.Event]:
    events: list[ev.Event] = []
    monkeypatch.setattr(slot.keeper, "tell", events.append)
    return events


def visitors(is_busy: Callable[[Slot, Child], Awaitable[Cause]] | None = None, loop: Any = None) -> Visitors:
    return Visitors(loop or Loop(), is_busy, lambda *_: None)  # type: ignore[arg-type]


def test_one_that_nobody_uses_is_said_to_be_unused(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    events, pid = told(slot, monkeypatch), slot.service.pid or 0
    made = visitors()
    made.watch(slot)
    made.make_sure(slot, pid)
    assert (events, keeps_newcomers(slot)) == ([ev.FoundUnused(pid)], True)


def test_one_that_was_stopped_meanwhile_is_asked_nothing(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    events, pid = told(slot, monkeypatch), slot.service.pid or 0
    made = visitors()
    made.watch(slot)
    slot.keeper.service = replace(slot.service, state=State.TERMINATING)
    made.forget(slot)
    made.make_sure(slot, pid)
    assert (events, keeps_newcomers(slot)) == ([], False)


def test_one_that_makes_room_stays_where_the_system_tells_of_nobody_who_leaves(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(port: int) -> Departures:
        raise OSError(errno.EPERM, "operation not permitted")

    monkeypatch.setattr(system, "open_departures", refuse, raising=False)
    events, pid = told(slot, monkeypatch), slot.service.pid or 0
    made = visitors()
    made.watch(slot)
    made.make_sure(slot, pid)
    assert (events, keeps_newcomers(slot)) == ([ev.FoundInUse(pid, "web")], False)


def test_clients_of_one_that_a_reload_keeps_do_not_wait_for_its_next_process(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`idle_stop` was taken out of the file while `idle_check` ran."""
    events, pid = told(slot, monkeypatch), slot.service.pid or 0
    slot.spec = replace(slot.spec, idle_check=IdleCheck(("true",), 1.0))

    async def reload(slot: Slot, child: Child) -> Cause:
        slot.keeper.service = replace(slot.service, timeouts=replace(slot.service.timeouts, idle=0.0))
        return ""

    async def scene() -> None:
        made = visitors(reload, asyncio.get_running_loop())
        monkeypatch.setattr(made, "_hear", lambda slot: None)
        made.watch(slot)
        made.make_sure(slot, pid)
        assert slot.child is not None
        await asyncio.gather(*slot.child.tasks)

    asyncio.run(scene())
    assert (events, keeps_newcomers(slot)) == ([ev.FoundInUse(pid, "web")], False)


def test_one_whose_clients_cannot_be_counted_counts_as_used(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `handoff: off` nobody can be kept waiting, and those who are there are counted once more."""

    def refuse(port: int) -> list[object]:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(system, "connections_on", refuse, raising=False)
    slot.shared.sockets = None
    events, pid = told(slot, monkeypatch), slot.service.pid or 0
    made = visitors()
    made.watch(slot)
    made.make_sure(slot, pid)
    assert events == [ev.FoundInUse(pid, "")]


def test_where_the_loop_cannot_watch_who_leaves_that_is_told_and_tried_again(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [OSError(errno.ENOSPC, "No space left on device")]
    heard: list[object] = []

    class Full(Loop):
        def add_reader(self, *what: object) -> None:
            if refused:
                raise refused.pop()
            heard.append(what)

    troubles: list[tuple[str, str]] = []
    events, pid = told(slot, monkeypatch), slot.service.pid or 0
    made = Visitors(Full(), None, lambda *trouble: troubles.append(trouble))  # type: ignore[arg-type]
    made.watch(slot)
    assert (troubles, heard) == ([("web", "no space left on device")], [])
    made.count(slot, pid)
    assert len(heard) == len(events) == 1
    made.forget(slot)
