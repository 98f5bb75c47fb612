"""Whoever keeps a picture of the stack has the same one as the daemon, however slow or absent they were."""

import asyncio
import random
from typing import Any, cast

import pytest

from supervisor.api.picture import Picture
from supervisor.control.messages import Resources, Usage
from supervisor.control.reply import Reply
from supervisor.control.requests import Subscribe
from supervisor.control.status import ServiceStatus, StackStatus
from supervisor.control.updates import Update, Usages
from supervisor.daemon.requests import usage_ring
from supervisor.daemon.requests.subscriptions import Subscriptions


class Reader:
    """Stands for a reply, and keeps a picture of what it is told."""

    def __init__(self, picture: Picture | None = None) -> None:
        self.got: list[Update] = []
        self.picture = picture or Picture()
        self.is_behind = False
        self.on_drained: Any = None
        self.on_close: Any = None

    def tell(self, message: Update) -> None:
        self.got.append(message)
        self.picture.apply(message)

    def drain(self) -> None:
        self.is_behind = False
        if self.on_drained is not None:
            self.on_drained()


class Services:
    """A stack whose services have a state and nothing else."""

    def __init__(self, **states: str) -> None:
        self.states = dict(states)
        self.looks: list[Any] = []  # who waits for what services use
        self.subscriptions = Subscriptions("run-1", self.states.keys, self.status, self.looks.append)

    def status(self, names: Any) -> StackStatus:
        return StackStatus("shop", 1, tuple(_row(name, self.states[name]) for name in names))

    def put(self, name: str, state: str) -> None:
        self.states[name] = state
        self.subscriptions.changed(name)

    def added(self, picture: Picture | None = None, **asked: Any) -> Reader:
        reader = Reader(picture)
        known: dict[str, Any] = {"run": reader.picture.run, "after": reader.picture.seq}
        self.subscriptions.add(Subscribe(**known | asked), cast(Reply, reader))
        return reader

    def is_shown_to(self, reader: Reader) -> bool:
        return {name: row.state for name, row in reader.picture.services.items()} == self.states


def _row(name: str, state: str) -> ServiceStatus:
    return ServiceStatus(name, 1, state, "", "none", None, None, None, None, 0, None, None, ())


async def turn() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_everything_comes_first_and_then_what_changes_numbered() -> None:
    async def run() -> None:
        stack = Services(web="stopped", db="running")
        reader = stack.added()
        stack.put("web", "starting")
        stack.put("web", "running")
        await turn()
        first, second = reader.got
        assert first.status is not None
        assert [each.name for each in first.status.services] == ["web", "db"]
        assert [(each.name, each.state) for each in second.changed or ()] == [("web", "running")]
        assert second.seq > first.seq
        reader.on_close()
        stack.put("db", "failed")
        await turn()
        assert len(reader.got) == 2

    asyncio.run(run())


def test_who_was_away_gets_only_what_is_new_to_them() -> None:
    async def run() -> None:
        stack = Services(web="running", db="running", old="running")
        away = stack.added()
        away.on_close()
        stack.put("db", "failed")
        del stack.states["old"]
        stack.states["new"] = "waiting"
        stack.subscriptions.services_changed()
        back = stack.added(away.picture)
        (update,) = back.got
        assert update.status is None
        assert {each.name for each in update.changed or ()} == {"db", "new"}
        assert update.removed == ("old",)
        assert stack.is_shown_to(back)
        again = stack.added(back.picture)
        assert again.got == [Update("run-1", update.seq)]

    asyncio.run(run())


@pytest.mark.parametrize(("run", "after"), [("run-0", 1), ("run-1", 99), ("", 0)])
def test_who_knows_another_run_gets_everything(run: str, after: int) -> None:
    reader = Services(web="running").added(run=run, after=after)
    assert reader.got[0].status is not None


def test_a_slow_reader_misses_events_and_no_state() -> None:
    async def run() -> None:
        stack = Services(web="running")
        reader = stack.added(events=True)
        reader.is_behind = True
        for state in ("backoff", "starting", "running"):
            stack.subscriptions.event({"time": "t", "level": "info", "event": f"service {state}", "service": "web"})
            stack.put("web", state)
            await turn()
        assert len(reader.got) == 1
        reader.drain()
        await turn()
        assert [update.gap for update in reader.got[1:]] == [3, None]
        assert stack.is_shown_to(reader)
        stack.subscriptions.event({"time": "t", "level": "info", "event": "instance ends"})
        assert reader.got[-1].event is not None
        assert reader.got[-1].event.event == "instance ends"

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(20))
def test_every_reader_has_the_same_picture_in_the_end(seed: int) -> None:
    async def run() -> None:
        chance = random.Random(seed)
        stack = Services(web="running", db="running")
        readers = [stack.added() for _ in range(3)]
        for step in range(100):
            match chance.randrange(6):
                case 0:
                    stack.states[f"s{step}"] = "waiting"
                    stack.subscriptions.services_changed()
                case 1 if len(stack.states) > 1:
                    del stack.states[chance.choice(sorted(stack.states))]
                    stack.subscriptions.services_changed()
                case 2:
                    chance.choice(readers).is_behind = True
                case 3:
                    chance.choice(readers).drain()
                case 4:
                    gone = readers.pop(chance.randrange(len(readers)))
                    gone.on_close()
                    readers.append(stack.added(chance.choice([None, gone.picture])))
                case _:
                    stack.put(chance.choice(sorted(stack.states)), f"state {step}")
            if chance.random() < 0.5:
                await turn()
        await turn()
        for reader in readers:
            reader.drain()
        await turn()
        for reader in readers:
            assert stack.is_shown_to(reader)

    asyncio.run(run())


def test_what_services_use_is_looked_at_only_while_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr(usage_ring, "EVERY", 0.001)
        monkeypatch.setattr(usage_ring, "KEPT", 3)
        stack = Services(web="running")
        looks, ring = stack.looks, stack.subscriptions.usage
        stack.added()
        await asyncio.sleep(0.01)
        assert looks == []
        reader = stack.added(usage=True)
        assert len(looks) == 1
        for number in range(5):
            once = None if number else Resources(9.0, 1, 1, ())
            looks[0](Usage({"web": Resources(number / 2, number * 10, 1, ()), "db": once}))
        await asyncio.sleep(0.01)
        assert len(looks) > 1
        told = await ring.told(["web", "db", "none"], lambda: asyncio.sleep(0))
        assert (len(told.times), sorted(told.services)) == (3, ["web"]), "db has had no process for as long as is kept"
        assert (told.services["web"].cpu_s, told.services["web"].memory) == ((1.0, 1.5, 2.0), (20, 30, 40))
        last = reader.got[-1].usage
        assert isinstance(last, Usages)
        assert last.services["web"].memory == (40,)
        reader.on_close()
        count = len(looks)
        await asyncio.sleep(0.01)
        assert len(looks) == count

    asyncio.run(run())
