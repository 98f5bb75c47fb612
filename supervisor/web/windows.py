"""What the open windows of a stack are told: one subscription for all of them, and for each what it has not read yet.

A window that is slow costs nobody anything: what it has not read is laid together, service by service, and of events
only the last ones are kept.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from supervisor.api.following import Ended, Following
from supervisor.api.machine import running_instance
from supervisor.api.project import Project
from supervisor.api.rows import SHAPES, look_of, ordered, waits, why_of_row, word_of
from supervisor.api.sight import needs_of
from supervisor.api.values import Event, ServiceStatus, Update, as_json, line_of
from supervisor.errors import PortsupError
from supervisor.words import answers
from supervisor.words.events import sentence

MOST_EVENTS = 500  # that a slow window is told of
Told = dict[str, Any]


class TooMany(Exception):
    """There are as many windows as there may be."""


class Window:
    """One stream to a browser; `tell` may be called by any thread, `take` belongs to the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_due = asyncio.Event()
        self._lock = threading.Lock()
        self._pending: Told = {}
        self._events: deque[Told] = deque(maxlen=MOST_EVENTS)
        self._missed = 0

    def tell(self, told: Told) -> None:
        """Adds to what it has not read; a `full` picture takes the place of all that."""
        with self._lock:
            if told.get("full"):
                self._pending = dict(told)
            else:
                rows = {**self._pending.get("rows", {}), **told.get("rows", {})}
                for name in told.get("removed", ()):
                    rows.pop(name, None)
                removed = [*self._pending.get("removed", ()), *told.get("removed", ())]
                self._pending |= told | {"rows": rows, "removed": [name for name in removed if name not in rows]}
            for event in told.get("events", ()):
                self._missed += len(self._events) == MOST_EVENTS
                self._events.append(event)
        try:
            self._loop.call_soon_threadsafe(self._is_due.set)  # which waits for nobody
        except RuntimeError:  # the server has ended
            pass

    async def take(self, seconds: float) -> Told | None:
        """What is new, after at most so many seconds; None where nothing is."""
        try:
            await asyncio.wait_for(self._is_due.wait(), seconds)
        except TimeoutError:
            pass
        self._is_due.clear()
        with self._lock:
            if not self._pending and not self._events:
                return None
            told = self._pending | {"events": list(self._events), "missed": self._missed}
            self._pending, self._missed = {}, 0
            self._events.clear()
        return told


class Channel:
    """The windows of one stack, and the thread that follows it for them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.windows: list[Window] = []
        self._lock = threading.RLock()
        self._needs: dict[str, tuple[str, ...]] = {}
        self._order: list[str] = []
        self._told_waits: dict[str, str] = {}  # by service, in words
        self._is_over = True  # as far as the windows were told
        self._following = Following(project.running, self._told, name=project.name, events=True, usage=True)
        self._thread = threading.Thread(target=self._following.run, name="portsup-web", daemon=True)

    def join(self, window: Window) -> None:
        """The window gets everything, and then what changes."""
        with self._lock:
            self.windows.append(window)
            if not self._thread.is_alive():
                self._thread.start()  # tells everything soon
            else:
                window.tell(self._everything())

    def leave(self, window: Window) -> bool:
        """Whether nobody is left; nothing is followed then."""
        with self._lock:
            self.windows.remove(window)
            if not self.windows:
                self._following.close()
            return not self.windows

    def _told(self, update: Update | None) -> None:
        """Called by the thread of the following."""
        with self._lock:
            if update is not None and (update.status is not None or _is_reload(update.event)):
                self._read_needs()
            is_new = update is None or update.status is not None or self._is_over
            told = self._everything() if update is None or is_new else self._changes(update)
            self._is_over = update is None
            for window in self.windows:
                window.tell(told)

    def _everything(self) -> Told:
        following, status, ended = self._following, self._following.status, self._following.ended
        self._order = self._in_order()
        told: Told = {
            "full": True, "order": self._order, "needs": self._needs, "folder": self.project.folder,
            "rows": self._rows(following.picture.services.values()),
            "warnings": list(following.picture.warnings), "ended": ended and ended_of(ended),
        }  # fmt: skip
        return told | ({"stack": status.stack, "instance": status.instance} if status is not None else {})

    def _changes(self, update: Update) -> Told:
        told: Told = {"rows": self._rows(update.changed or ())}
        if update.changed:  # others wait for these
            waiting = {name: self._waits(row) for name, row in self._following.picture.services.items()}
            stale = [name for name, words in waiting.items() if words and words != self._told_waits.get(name)]
            told["rows"] |= self._rows(self._following.picture.services[name] for name in stale)
        if update.removed:
            told["removed"] = list(update.removed)
        if update.event is not None:
            told["events"] = [event_of(update.event)]
        if update.usage is not None:
            told["usage"] = as_json(update.usage)
        if _is_reload(update.event):
            told["needs"] = self._needs
        order = self._in_order()
        if order != self._order:
            self._order = told["order"] = order
        return told

    def _rows(self, rows: Iterable[ServiceStatus]) -> Told:
        told = {}
        for row in rows:
            words = self._told_waits[row.name] = self._waits(row)
            told[row.name] = row_of(row, words)
        return told

    def _waits(self, row: ServiceStatus) -> str:
        return waits(row, self._needs, self._following.picture.services)

    def _in_order(self) -> list[str]:
        return [row.name for row in ordered(list(self._following.picture.services.values()), self._needs)]

    def _read_needs(self) -> None:
        self._needs = needs_of(self.project)


class Windows:
    """All channels, by the stack that they are about; for the event loop alone."""

    def __init__(self, own: Project, most: int) -> None:
        """`own` is the stack of the folder in which the page was started; `most` windows may be open at a time."""
        self._own = own
        self._most = most
        self._channels: dict[str, Channel] = {}
        self._projects: dict[str, Project] = {}

    def project(self, key: str) -> Project:
        """The stack that `key`, `shop/1` or nothing for our own, stands for; raises PortsupError for none."""
        if not key:
            return self._own
        stack, _, number = key.rpartition("/")
        is_number = number.isascii() and number.isdigit() and len(number) < 10  # `int` refuses thousands of digits
        info = running_instance(stack, int(number)) if is_number else None
        if info is not None:
            self._projects[key] = Project(info.directory, info.files, info.instance)
        if key not in self._projects:
            raise PortsupError(f"cannot show `{key}`", "no such instance has been running", "`portsup ls` lists them")
        return self._projects[key]

    def open(self, key: str, project: Project) -> tuple[Window, Callable[[], None]]:
        """A window on a stack, and what closes it; raises TooMany."""
        if sum(len(each.windows) for each in self._channels.values()) >= self._most:
            raise TooMany
        channel = self._channels.setdefault(key, Channel(project))
        window = Window()
        channel.join(window)

        def close() -> None:
            if channel.leave(window) and self._channels.get(key) is channel:
                del self._channels[key]

        return window, close


def row_of(row: ServiceStatus, waits: str = "") -> Told:
    """All that is told of a service, and how it looks; `waits`: whom it waits for."""
    look = look_of(row)
    shown = {"look": str(look), "shape": SHAPES[look], "word": word_of(row), "why": why_of_row(row) or waits}
    return as_json(row) | shown | {"is_fine": row.is_fine}


def ended_of(ended: Ended) -> Told:
    """Since when nobody tells of the stack, why, and the sentence for it."""
    return as_json(ended) | {"sentence": answers.not_running(ended.why)}


def event_of(event: Event) -> Told:
    """An event, and the sentence for it."""
    told = line_of(event)
    return told | {"sentence": sentence(told)}


def _is_reload(event: Event | None) -> bool:
    return event is not None and event.event == "reloaded"
