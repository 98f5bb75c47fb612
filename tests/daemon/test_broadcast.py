"""News for many readers, some of them slow."""

from typing import Any, cast

from supervisor.control.messages import Event, News
from supervisor.control.reply import Reply
from supervisor.daemon.console.broadcast import Broadcast


class Reader:
    """Stands for a reply."""

    def __init__(self) -> None:
        self.got: list[News] = []
        self.is_behind = False
        self.on_drained: Any = None
        self.on_close: Any = None

    def tell(self, message: News) -> None:
        self.got.append(message)


def news(number: int) -> News:
    return News(event=Event("t", number))


def added(broadcast: Broadcast, *services: str) -> Reader:
    reader = Reader()
    broadcast.add(cast(Reply, reader), services)
    return reader


def tell(broadcast: Broadcast, number: int, service: str | None = "api", count: int = 1) -> None:
    broadcast.tell([service] if service else [], lambda: [(news(number), count)])


def test_each_reader_gets_what_it_asked_for() -> None:
    broadcast = Broadcast()
    everything, one = added(broadcast), added(broadcast, "api")
    tell(broadcast, 1)
    tell(broadcast, 2, "web")
    tell(broadcast, 3, None)
    assert everything.got == [news(1), news(2), news(3)]
    assert one.got == [news(1)]


def test_a_slow_reader_hears_how_much_it_missed() -> None:
    broadcast = Broadcast()
    slow, quick = added(broadcast), added(broadcast)
    tell(broadcast, 1)
    slow.is_behind = True
    tell(broadcast, 2)
    tell(broadcast, 3, count=40)
    slow.is_behind = False
    slow.on_drained()
    tell(broadcast, 4)
    assert slow.got == [news(1), News(gap=41), news(4)]
    assert quick.got == [news(1), news(2), news(3), news(4)]
    assert slow.on_drained is None


def test_nothing_is_made_for_nobody() -> None:
    broadcast = Broadcast()
    reader = added(broadcast)
    assert broadcast
    reader.on_close()
    assert not broadcast

    def make() -> Any:
        raise AssertionError("nobody reads this")

    broadcast.tell("api", make)
