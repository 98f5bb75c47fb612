"""Tells clients that a resource which they asked for is another one now.

A thread follows the stack while somebody has asked, and nothing is looked at otherwise.
"""

import contextlib
import threading
from collections.abc import Callable, Collection

from supervisor.api.following import Following
from supervisor.api.project import Project
from supervisor.api.values import Update
from supervisor.errors import PortsupError
from supervisor.mcp.resources import address_of

LOOK_AGAIN = 1.0  # seconds, while nothing runs that could print
LOGS_EVERY = 1.0  # seconds between two notices for the logs


class Changes:
    """What has changed, told to `notify` from a thread of ours; `wanted` are the addresses that somebody asked for."""

    def __init__(self, project: Project, wanted: Callable[[], Collection[str]], notify: Callable[[str], None]) -> None:
        self._project = project
        self._wanted = wanted
        self._notify = notify
        self._is_closed = threading.Event()
        self._following = Following(project.running, self._updated, events=True)
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Somebody has asked for an address; further calls do nothing."""
        if not self._threads and not self._is_closed.is_set():
            for follow in (self._following.run, self._go_on):
                thread = threading.Thread(target=follow, daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self) -> None:
        """Tells of nothing any more; the threads end with the process."""
        self._is_closed.set()
        self._following.close()

    def _updated(self, update: Update | None) -> None:
        if update is None:  # it has ended, or does not answer
            self._tell("status", "ports", "events")
        elif update.event is not None or update.gap:
            self._tell("events", *(["config"] if update.event and update.event.event == "reloaded" else []))
        else:
            self._tell("status", "ports")

    def _go_on(self) -> None:
        while not self._is_closed.wait(LOOK_AGAIN):
            with contextlib.suppress(PortsupError, OSError, RuntimeError):  # or no thread is left
                if self._project.running() is not None:
                    self._follow_logs()

    def _follow_logs(self) -> None:
        due: dict[str, threading.Timer] = {}
        try:
            for line in self._project.stack().logs():
                if self._is_closed.is_set():
                    return
                name = getattr(line, "service", "")
                if name and (name not in due or not due[name].is_alive()):
                    # At the end of the second: whoever reads then has all that came in it.
                    due[name] = threading.Timer(LOGS_EVERY, self._tell, [f"logs/{name}"])
                    due[name].daemon = True
                    due[name].start()
        finally:
            for timer in due.values() if self._is_closed.is_set() else ():  # else the last lines are still to be told
                timer.cancel()

    def _tell(self, *kinds: str) -> None:
        wanted = self._wanted()
        for kind in kinds if wanted else ():
            try:
                uri = address_of(self._project, kind)
            except PortsupError:
                return  # services.yaml is being written
            if uri in wanted:
                self._notify(uri)
