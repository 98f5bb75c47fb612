"""The terminal view with a stack that is made up, and what stands on its screen."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from supervisor.api.following import Ended, Following
from supervisor.api.project import Project
from supervisor.api.stack import Stack
from supervisor.api.values import (
    Changes,
    Event,
    EventPage,
    FoundLine,
    Load,
    LogPage,
    LogQuery,
    Outcome,
    PortStatus,
    ServiceStatus,
    StackStatus,
    Update,
    Usages,
    Why,
)
from supervisor.errors import NotFound
from supervisor.tui.app import Told, Top
from supervisor.tui.lanes import seconds_of
from tests.tui.test_cells import row

SCREENS = Path(__file__).parent / "screens"
ROWS = (
    row(
        "db", pool=(PortStatus(6000, "active"), PortStatus(6001, "spare")), uptime_s=3700.0,
        name_url="http://db.shop.localhost:1355",
    ),
    row(
        "web", state="backoff", port=None, pid=None, uptime_s=None, restarts=4, reason="exit code 3",
        pool=(PortStatus(6010, "taken", "nginx (pid 12)"), PortStatus(6011, "quarantined")),
    ),
    row(
        "api", port=6020, url="http://127.0.0.1:6020", pool=(PortStatus(6020, "active"),), checks_health=True,
        health="healthy",
    ),
    row("job", state="stopped", port=None, pid=None, uptime_s=None),
)  # fmt: skip
NEEDS = {"web": ("db",), "api": ("db",), "job": ("api",)}
LINES = [
    FoundLine(f"2026-01-01T10:00:{number:02d}.000Z", "db", "stdout", text)
    for number, text in enumerate(["INFO one", "ERROR two \x1b[31mred", "[bold]three[/bold]", "WARNING four", "five"])
]


class FakeStack(Stack):
    """Notes what it is told to do."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        self.outcome = True

    def _note(self, what: str, names: Sequence[str]) -> list[Outcome]:
        self.done.append(" ".join([what, *names]))
        return [Outcome(name, self.outcome, "ready" if self.outcome else "exit code 3") for name in names]

    def start(self, *services: str) -> list[Outcome]:
        return self._note("start", services)

    def stop(self, *services: str, timeout: float | None = None) -> list[Outcome]:
        return self._note("stop", services)

    def restart(self, *services: str, timeout: float | None = None, rolling: bool = False) -> list[Outcome]:
        return self._note("roll" if rolling else "restart", services)

    def rotate(self, service: str) -> Outcome:
        return self._note("rotate", [service])[0]

    def kill(self, *services: str, signal: int = 9) -> list[Outcome]:
        return self._note("kill", services)

    def down(self, timeout: float | None = None) -> list[Outcome]:
        return self._note("down", [])

    def reload(self, *files: object) -> list[Outcome]:
        return self._note("reload", ["web"])

    def compare(self, *files: object) -> Changes:
        return Changes(("new",), (), ())

    def port_history(self, port: int) -> list[Event]:
        return [Event("2026-01-01T10:00:00.000Z", 1, "info", "service ready", "db", "running", {"port": port})]


class FakeProject(Project):
    """A folder whose stack is `FakeStack`."""

    def __init__(self) -> None:
        super().__init__("/srv/shop")
        self.done: list[str] = []
        self.fake = FakeStack(self.done)
        self.lines = list(LINES)

    def running(self) -> None:
        return None

    def stack(self) -> Stack:
        return self.fake

    def search(self, *services: str, query: LogQuery | None = None, seconds: float = 10.0) -> LogPage:
        begin = int(query.cursor) if query is not None and query.cursor else 0
        return LogPage(tuple(self.lines[begin:]), str(len(self.lines)))

    def history(self, *services: str, cursor: str = "", count: int = 50) -> EventPage:
        pid: dict[str, object] = {"pid": 7, "port": 6000}
        spawned = Event("2026-01-01T10:00:02.500Z", 1, "info", "service spawned", "db", "started", pid)
        failed = Event(
            "2026-01-01T10:00:03.000Z", 2, "error", "service failed", "web", "failed", {"why": "exit code 3"}
        )
        return EventPage((spawned, failed), "x/2")

    def why(self, service: str, *, failures: int = 3, lines: int = 50) -> Why:
        return Why(service, "running", 0, (), (), ("last words",), ())

    def spec(self) -> object:  # type: ignore[override]
        raise NotFound("cannot find services.yaml", "there is none", "make one")


@contextlib.asynccontextmanager
async def view(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] = (80, 24), *, plain: bool = False
) -> AsyncIterator[tuple[Top, Pilot[None], FakeProject]]:
    """The view of the stack, which runs and is told of once."""
    monkeypatch.setattr(Following, "run", lambda self: None)
    monkeypatch.setattr("supervisor.tui.ports.all_pools", list)  # no other instances
    monkeypatch.setattr(Top, "_every_second", lambda self: None)  # no clock
    monkeypatch.setattr("supervisor.tui.timeline.now", lambda: seconds_of(Event("2026-01-01T10:00:10.000Z")))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    project = FakeProject()
    top = Top(project, plain=plain)
    async with top.run_test(size=size, notifications=True) as pilot:
        tell(top, ROWS)
        await until(pilot, lambda: " job " in text_of(top) and is_drawn(top))
        yield top, pilot, project


def tell(top: Top, rows: Sequence[ServiceStatus]) -> None:
    """Has the stack tell of itself."""
    status = StackStatus("shop", 1, tuple(rows))
    update = Update("run", 1, status)
    top.following.picture.apply(update)
    top.following.status, top.following.ended = status, None
    load = {"db": Load((1.0, 2.5), (9 << 20, 10 << 20), (1, 1))}
    top.post_message(Told(update, dict(NEEDS), Usages(10.0, (10.0, 20.0), load)))


def end(top: Top, ended: Ended) -> None:
    """Has the stack end."""
    top.following.ended = ended
    top.post_message(Told(None, None, None))


def text_of(top: Top) -> str:
    """What stands on the screen."""
    strips = top.screen._compositor.render_strips(top.size)
    return "\n".join(strip.text.rstrip() for strip in strips)


def is_drawn(top: Top) -> bool:
    """Whether the keys stand at the bottom, which are drawn last."""
    return any(key in text_of(top) for key in ("/ filter", "esc back", "restart without gap"))


async def until(pilot: Pilot[None], check: Callable[[], bool], within: float = 20.0) -> None:
    """Returns once that is so."""
    deadline = asyncio.get_running_loop().time() + within
    while not check():
        assert asyncio.get_running_loop().time() < deadline, text_of(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.02)


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Runs a test that awaits."""
    asyncio.run(test())  # type: ignore[arg-type]


def same_as(name: str, text: str) -> None:
    """Asserts that a screen is as it is kept in `screens/`, and keeps it where there is none."""
    path = SCREENS / f"{name}.txt"
    if not path.exists():
        path.write_text(text + "\n", encoding="utf-8")
        raise AssertionError(f"{path} is new: look at it, and run this again")
    assert text + "\n" == path.read_text(encoding="utf-8")
