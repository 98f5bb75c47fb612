"""The status of hundreds of services."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.control.json_form import line_of
from supervisor.control.reply import Reply
from supervisor.control.status import ServiceStatus
from supervisor.daemon.requests.statuses import Statuses
from tests.daemon.turns import MANY, Sink, Turns, until


def look(slot: Any, number: int, now: float, redact: object) -> ServiceStatus:
    assert slot.replicas
    slot.turns.note(slot.of)
    return ServiceStatus(slot.of, 1, slot.states[slot.of], "", "none", None, None, None, None, 0, None, None, ())


def statuses_of_now() -> Statuses:
    instance = SimpleNamespace(
        stack="shop", number=1, loop=asyncio.get_running_loop(), journal=SimpleNamespace(redact=str)
    )
    stack = SimpleNamespace(room=SimpleNamespace(status=lambda: None))
    return Statuses(*cast(Any, (instance, stack, SimpleNamespace(warnings=lambda: ["old"]))))


def test_the_status_of_many_is_found_and_told_over_several_turns_and_is_of_one_moment(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, states = Sink(), dict.fromkeys((f"s{number}" for number in range(MANY)), "starting")

    async def work() -> None:
        statuses = statuses_of_now()
        slots = [cast(Any, SimpleNamespace(of=name, turns=turns, states=states, replicas=[1])) for name in states]
        telling = asyncio.create_task(statuses.tell(slots, Reply(cast(asyncio.WriteTransport, sink)), "status"))
        await until(lambda: len(turns.done) == MANY // 2)
        for name in ("s0", "s1", f"s{MANY - 1}"):  # two that were looked at already, and one that was not
            states[name] = "running"
            statuses.changed(name)
        await telling
        assert [len(turn) for turn in turns.done[: MANY - 1]] == [1] * (MANY - 1)
        turns.done.clear()
        told = json.loads(sink.written[0])
        whole = {"ok": True} | line_of(statuses.of(slots))
        assert told.pop("loop") is not None
        assert whole.pop("loop") is not None
        assert told == whole
        assert [row["state"] for row in told["services"]].count("running") == 3

    monkeypatch.setattr("supervisor.daemon.requests.statuses.row", look)
    turns.run(work)


def test_what_changes_while_several_ask_is_told_to_each_of_them(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    sinks, states = [Sink() for _ in range(3)], dict.fromkeys((f"s{number}" for number in range(MANY)), "starting")

    async def work() -> None:
        statuses = statuses_of_now()
        slots = [cast(Any, SimpleNamespace(of=name, turns=turns, states=states, replicas=[1])) for name in states]
        few, (first, second, third) = slots[:1], [Reply(cast(asyncio.WriteTransport, sink)) for sink in sinks]
        telling = [asyncio.create_task(statuses.tell(slots, reply, "status")) for reply in (first, second)]
        await until(lambda: len(turns.done) == 2)
        await statuses.tell(few, third, "status")  # it is over before anything has changed
        states["s0"] = "running"
        statuses.changed("s0")
        await asyncio.gather(*telling)
        told = [json.loads(sink.written[0])["services"][0]["state"] for sink in sinks]
        assert told == ["running", "running", "starting"]

    monkeypatch.setattr("supervisor.daemon.requests.statuses.row", look)
    turns.run(work)


def test_what_a_reload_removes_meanwhile_is_not_told(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, states = Sink(), dict.fromkeys((f"s{number}" for number in range(MANY)), "starting")

    async def work() -> None:
        statuses = statuses_of_now()
        slots = [cast(Any, SimpleNamespace(of=name, turns=turns, states=states, replicas=[1])) for name in states]
        telling = asyncio.create_task(statuses.tell(slots, Reply(cast(asyncio.WriteTransport, sink)), "status"))
        await until(lambda: len(turns.done) == MANY // 2)
        for number in (0, 1, MANY - 1):  # two that were looked at already, and one that was not
            slots[number].replicas.clear()
            statuses.changed(f"s{number}")
        await telling
        told = [row["name"] for row in json.loads(sink.written[0])["services"]]
        assert told == [f"s{number}" for number in range(2, MANY - 1)]

    monkeypatch.setattr("supervisor.daemon.requests.statuses.row", look)
    turns.run(work)
