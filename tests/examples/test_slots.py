"""Places for requests, and the line of those who wait for one."""

import asyncio

import pytest

from examples.forward import Slots
from examples.web import ServiceError


async def busy(slots: Slots) -> str:
    with pytest.raises(ServiceError) as refused:
        await slots.take()
    assert (refused.value.code, refused.value.status) == ("busy", 429)
    return refused.value.message


def test_without_a_line_one_more_is_told_to_come_back() -> None:
    async def story() -> None:
        slots = Slots(2)
        await slots.take()
        await slots.take()
        assert await busy(slots) == "2 requests are running already"
        slots.give_back()
        await slots.take()
        assert slots.taken == 2

    asyncio.run(story())


def test_who_waits_gets_a_place_in_turn_and_a_line_has_an_end() -> None:
    async def story() -> None:
        slots, order = Slots(1, queue=2), []

        async def one(name: str) -> None:
            await slots.take()
            order.append(name)

        await slots.take()
        waiting = [asyncio.create_task(one(name)) for name in "ab"]
        await asyncio.sleep(0)
        assert (slots.taken, slots.waiting) == (1, 2)
        assert await busy(slots) == "1 requests are running already, and 2 wait"
        for task in waiting:
            slots.give_back()
            await task
        assert (order, slots.taken, slots.waiting) == (["a", "b"], 1, 0)

    asyncio.run(story())


def test_who_leaves_the_line_takes_no_place() -> None:
    async def story() -> None:
        slots = Slots(1, queue=2)
        await slots.take()
        leaves, stays = asyncio.create_task(slots.take()), asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        leaves.cancel()
        slots.give_back()
        await stays
        assert (slots.taken, slots.waiting, leaves.cancelled()) == (1, 0, True)

    asyncio.run(story())


def test_nobody_waits_for_longer_than_is_said() -> None:
    async def story() -> None:
        slots = Slots(1, queue=1, patience=0.01)
        await slots.take()
        assert "no place was free within 0.01 s" in await busy(slots)
        assert slots.waiting == 0
        slots.give_back()
        await slots.take()

    asyncio.run(story())
