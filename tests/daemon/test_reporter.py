"""What is told of a change at once, and what when a service has got what it waits for."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.core.journal import Mistake
from supervisor.core.service import Service
from supervisor.core.state import Health, Result, State
from supervisor.daemon.console.foreground import Foreground, Show
from supervisor.daemon.console.reporter import Reporter
from supervisor.dataclass import replace


class Kept:
    """In the place of a journal."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.waiting: list[Callable[[], object]] = []
        self.redactor = None
        self.redact = str

    def tell(self, event: Any) -> bool:
        self.told.append(event.event)
        return True

    def put_off(self, tell: Callable[[], object]) -> None:
        self.waiting.append(tell)


class Screen:
    """In the place of a terminal."""

    def write(self, _: bytes) -> None:
        pass


@pytest.mark.parametrize(
    ("is_attached", "has_clients", "waits"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_a_change_waits_for_its_place_in_the_journal_where_nobody_looks_on(
    is_attached: bool, has_clients: bool, waits: bool
) -> None:
    journal: Any = Kept()
    screen: Any = Screen() if is_attached else None
    spec = SimpleNamespace(name="web", stop_signal=15, one_shot=False)
    slot: Any = SimpleNamespace(spec=spec, child=None, ran=1.0, replica=None, of="web")
    reporter = Reporter(Foreground(screen, screen, Show()), journal, {"web": slot})
    reporter.has_clients = lambda: has_clients
    stopped = Service("web", (8000,))
    reporter.changed(replace(stopped, state=State.TERMINATING, pid=7), stopped, 5.0)
    assert bool(journal.waiting) is waits
    assert bool(journal.told) is not waits
    for tell in journal.waiting:
        tell()
    assert len(journal.told) == 1


@pytest.mark.parametrize(
    "after",
    [
        {"state": State.FAILED, "result": Result.EXIT_CODE},
        {"state": State.RUNNING, "pid": 7, "health": Health.UNHEALTHY},
        {"state": State.RUNNING, "pid": 7, "told": "loads"},
    ],
)
def test_a_failure_and_what_a_service_says_wait_for_nothing(after: dict[str, Any]) -> None:
    """Nor does any other step that leaves state and process as they are: no start waits for these."""
    journal: Any = Kept()
    log = SimpleNamespace(tail=lambda _: ())
    spec = SimpleNamespace(name="web", one_shot=False, stdin=None, command=("web",), working_dir="/")
    slot: Any = SimpleNamespace(spec=spec, child=None, ran=1.0, replica=None, of="web", log=log)
    reporter = Reporter(Foreground(None, None, Show()), journal, {"web": slot})
    reporter.has_clients = lambda: False
    running = Service("web", (8000,), state=State.RUNNING, pid=7)
    reporter.changed(running, replace(running, **{"pid": None, **after}), 5.0)
    assert (len(journal.told), journal.waiting) == (1, [])


def test_a_change_that_cannot_be_told_is_an_event_of_its_service_and_nothing_else() -> None:
    class Broken(Kept):
        def tell(self, event: Any) -> bool:
            if not self.told and not isinstance(event, Mistake):
                raise KeyError("words")
            return super().tell(event)

    journal: Any = Broken()
    slot: Any = SimpleNamespace(spec=SimpleNamespace(name="web", one_shot=False), child=None, ran=1.0, replica=None)
    reporter = Reporter(Foreground(None, None, Show()), journal, {"web": slot})
    reporter.has_clients = lambda: False
    stopped = Service("web", (8000,))
    reporter.changed(replace(stopped, state=State.TERMINATING, pid=7), stopped, 5.0)
    journal.waiting.pop()()
    assert journal.told == [Mistake.event]
