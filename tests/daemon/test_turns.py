"""What many ask for at once is done over several turns of the loop, however many they are."""

import asyncio
import contextlib
import json
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.control import reply as replies
from supervisor.control.json_form import line_of
from supervisor.control.messages import Event, News, Resources, Usage
from supervisor.control.progress import Progress
from supervisor.control.reply import Reply
from supervisor.control.requests import Subscribe
from supervisor.control.status import ServiceStatus, StackStatus
from supervisor.core.restart import RestartPolicy
from supervisor.core.service import Service, Timeouts
from supervisor.core.state import State
from supervisor.daemon import stalls
from supervisor.daemon.console.broadcast import Broadcast
from supervisor.daemon.requests.status_readers import StatusReaders
from supervisor.daemon.requests.subscriptions import Subscriptions
from supervisor.daemon.requests.usage_ring import UsageRing
from supervisor.daemon.service.keeper import Keeper
from supervisor.daemon.service.world import StackWorld
from supervisor.dataclass import replace
from tests.daemon.turns import MANY, Sink, Turns, until
from tests.support.fake_world import FakeWorld


class Reader:
    """Stands for a reply."""

    def __init__(self, name: str, turns: Turns) -> None:
        self.name, self.turns = name, turns
        self.got: list[Any] = []
        self.is_behind = False
        self.on_drained: Any = None
        self.on_close: Any = None

    def tell(self, message: Any) -> None:
        self.got.append(message)
        self.turns.note(self.name)


def status(number: int) -> StackStatus:
    return StackStatus("shop", number, ())


def test_watchers_are_told_one_after_the_other_and_of_the_newest_there_is(turns: Turns) -> None:
    now, looks = 1, 0

    def look() -> StackStatus:
        nonlocal looks
        looks += 1
        return status(now)

    async def work() -> None:
        nonlocal now, looks
        readers = StatusReaders(look)
        watching = [Reader(str(number), turns) for number in range(MANY)]
        for each in watching:
            readers.add(cast(Reply, each))
        turns.done.clear()
        now, looks = 2, 0
        readers.changed()
        await until(lambda: len(turns.done) == MANY // 2)
        now = 3
        readers.changed()
        await until(lambda: all(each.got[-1] == status(3) for each in watching))
        assert [len(turn) for turn in turns.done] == [1] * (MANY + MANY // 2)
        assert [turn[0] for turn in turns.done[:MANY]] == [str(number) for number in range(MANY)], "each has a turn"
        assert looks == 2, "what all are told is found out once"

    turns.run(work)


def test_watchers_that_were_behind_are_told_one_after_the_other(turns: Turns) -> None:
    looks = 0

    def look() -> StackStatus:
        nonlocal looks
        looks += 1
        return status(looks)

    async def work() -> None:
        nonlocal looks
        readers = StatusReaders(look)
        slow = [Reader(str(number), turns) for number in range(MANY)]
        for each in slow:
            readers.add(cast(Reply, each))
            each.is_behind = True
        readers.changed()
        await until(lambda: all(each.on_drained is not None for each in slow))
        turns.done.clear()
        looks = 0
        for each in slow:
            each.is_behind = False
            each.on_drained()
        await until(lambda: all(len(each.got) == 2 for each in slow))
        assert [len(turn) for turn in turns.done] == [1] * MANY
        assert looks == 1

    turns.run(work)


def _row(name: str) -> ServiceStatus:
    return ServiceStatus(name, 1, "running", "", "none", None, None, None, None, 0, None, None, ())


def changed(reader: Reader) -> Collection[str]:
    return {row.name for row in reader.got[-1].changed or ()}


def test_subscribers_are_told_one_after_the_other(turns: Turns) -> None:
    looks = 0

    def look(names: list[str]) -> StackStatus:
        nonlocal looks
        looks += 1
        return StackStatus("shop", 1, tuple(map(_row, names)))

    async def work() -> None:
        nonlocal looks
        subscriptions = Subscriptions("run", lambda: ["web", "db"], look, lambda then: None)
        readers = [Reader(str(number), turns) for number in range(MANY)]
        for each in readers:
            subscriptions.add(Subscribe(), cast(Reply, each))
        turns.done.clear()
        looks = 0
        subscriptions.changed("web")
        await until(lambda: len(turns.done) == MANY // 2)
        subscriptions.changed("db")
        await until(lambda: all("db" in changed(each) for each in readers))
        assert {len(turn) for turn in turns.done} == {1}
        assert [turn[0] for turn in turns.done[:MANY]] == [str(number) for number in range(MANY)], "each has a turn"
        assert looks <= 3, "of the first change, of both, and of the second"

    turns.run(work)


def test_what_many_services_used_in_an_hour_is_told_over_several_turns(turns: Turns) -> None:
    sink = Sink()

    async def work() -> None:
        ring = UsageRing(lambda then: None, lambda usages: None)
        ring._is_watched = True
        for number in range(3):
            ring._take(Usage({f"s{each}": Resources(number / 2, each, 1, ()) for each in range(MANY)}))
        once = Usage({"s0": Resources(9.0, 9, 9, ())})

        async def pause() -> None:
            turns.note("part")
            if turns.done[3:4] == [["part"]]:
                ring._take(once)  # who looks meanwhile is not seen: it is all of one moment
            await stalls.leave_time(asyncio.get_running_loop())

        names = [f"s{each}" for each in range(MANY)]
        usages = await ring.told([*names, "none"], pause)
        await Reply(cast(asyncio.WriteTransport, sink)).tell_in_parts(usages, "services", pause)
        assert [len(turn) for turn in turns.done] == [1] * (2 * MANY)
        whole = {"ok": True} | line_of(usages)
        assert [json.loads(line) for line in sink.written] == [json.loads(json.dumps(whole))]
        assert whole["services"]["s7"] == {"cpu_s": [0.0, 0.5, 1.0], "memory": [7, 7, 7], "processes": [1, 1, 1]}
        assert len(whole["times"]) == 3

    turns.run(work)
    assert sink.written[0].endswith(b"}\n")


def test_what_many_readers_are_told_becomes_a_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def counted(message: object) -> dict[str, Any]:
        nonlocal made
        made += 1
        return line_of(message)

    monkeypatch.setattr(replies, "line_of", counted)
    sinks = [Sink() for _ in range(MANY)]
    broadcast = Broadcast()
    for sink in sinks:
        broadcast.add(Reply(cast(asyncio.WriteTransport, sink)), ())
    broadcast.tell((), lambda: [(News(event=Event("t", number)), 1) for number in (1, 2)])
    assert made == 2
    assert len({tuple(sink.written) for sink in sinks}) == 1
    assert [len(sink.written) for sink in sinks] == [2] * MANY
    reply = Reply(cast(asyncio.WriteTransport, sinks[0]))
    reply.tell(Progress("one"))
    reply.tell(Progress("two"))
    assert [b"two" in line for line in sinks[0].written[-2:]] == [False, True]


def test_timers_of_many_services_that_ring_together_are_seen_to_one_after_the_other(turns: Turns) -> None:
    async def work() -> None:
        loop, world = asyncio.get_running_loop(), FakeWorld()
        keepers = [Keeper(Service(f"s{n}", (), RestartPolicy(), Timeouts()), world, loop) for n in range(MANY)]
        world.on_change = lambda before, after: turns.note(after.name)
        waits = loop.time() + 0.01
        for keeper in keepers:
            keeper.service = replace(keeper.service, state=State.BACKOFF, deadline=waits)
            keeper._arm()
        keepers[3].close()
        left = [keeper for keeper in keepers if keeper is not keepers[3]]
        await until(lambda: all(keeper.service.state is not State.BACKOFF for keeper in left))
        assert all(len(set(turn)) == 1 for turn in turns.done)
        assert {turn[0] for turn in turns.done} == {keeper.service.name for keeper in left}

    turns.run(work)


def test_ports_of_many_services_are_given_back_over_several_turns(turns: Turns) -> None:
    class World(StackWorld):
        def __init__(self) -> None:
            for name in ("_reaper", "_starter", "inquiries", "errands", "_leasing"):
                part = SimpleNamespace(close=lambda name=name: closed.append(name))
                setattr(self, name, part)
            self._loop = asyncio.get_running_loop()
            slots = [SimpleNamespace(number=number, replicas=[]) for number in range(MANY)]
            for slot in slots:
                slot.replicas.append(slot)
            self.slots = cast(Any, {str(slot.number): slot for slot in slots})

        def _let_go(self, slot: Any, *, gives_ports_back: bool) -> None:
            assert gives_ports_back
            turns.note(str(slot.number))
            if slot.number == 7:
                raise OSError("it cannot be given back")

    closed: list[str] = []

    async def work() -> None:
        with contextlib.suppress(OSError):
            await World().close()
        assert [len(turn) for turn in turns.done] == [1] * MANY, "also those after the one that failed"
        assert closed == ["_leasing", "errands", "inquiries", "_starter", "_reaper"]

    turns.run(work)
