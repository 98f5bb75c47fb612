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


def test_the_status_of_many_is_found_and_told_over_several_turns_and_is_of_one_moment(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, states = Sink(), dict.fromkeys((f"s{number}" for number in range(MANY)), "starting")

    def look(slot: Any, number: int, now: float, redact: object) -> ServiceStatus:
        turns.note(slot.of)
        return ServiceStatus(slot.of, 1, states[slot.of], "", "none", None, None, None, None, 0, None, None, ())

    async def work() -> None:
        loop = asyncio.get_running_loop()
        instance = SimpleNamespace(stack="shop", number=1, loop=loop, journal=SimpleNamespace(redact=str))
        stack = SimpleNamespace(room=SimpleNamespace(status=lambda: None))
        statuses = Statuses(*cast(Any, (instance, stack, SimpleNamespace(warnings=lambda: ["old"]))))
        slots = [cast(Any, SimpleNamespace(of=name)) for name in states]
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
