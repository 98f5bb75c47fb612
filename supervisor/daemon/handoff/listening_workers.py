"""Keeps an eye on the workers of a service that listen with a socket each: what we keep must not be one of the dead."""

import contextlib
import os
from collections.abc import Callable, Collection

from supervisor.daemon.handoff.hearing import Loop
from supervisor.daemon.handoff.looks import Aside, open_inodes
from supervisor.ports.service_sockets import ServiceSockets


class ListeningWorkers:
    """The workers of one process tree, `who`."""

    def __init__(
        self, loop: Loop, sockets: ServiceSockets, who: object, members: Callable[[], Collection[int]], aside: Aside
    ) -> None:
        self._loop = loop
        self._sockets = sockets
        self._who = who
        self._members = members
        self._aside = aside
        self._watched: dict[int, int] = {}  # pidfds by process

    def look(self) -> None:
        """Watches those that listen now, where there are several."""
        for process in self._sockets.workers(self._who) - self._watched.keys():
            # Gone, or no descriptor is left: the next listen looks again, and the end of the tree is told anyway.
            with contextlib.suppress(OSError), contextlib.ExitStack() as undo:
                descriptor = os.pidfd_open(process)
                undo.callback(os.close, descriptor)
                self._loop.add_reader(descriptor, lambda process=process: self._ended(process))  # type: ignore[misc]
                self._watched[process] = descriptor
                undo.pop_all()

    def close(self) -> None:
        """Watches nobody any more."""
        for process in tuple(self._watched):
            self._forget(process)

    def _forget(self, process: int) -> None:
        descriptor = self._watched.pop(process)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)

    def _ended(self, process: int) -> None:
        self._forget(process)
        inodes = self._sockets.inodes()

        def see() -> set[int]:
            with contextlib.suppress(OSError):
                return set(open_inodes(inodes, self._members()))
            return set(inodes)

        def then(still_open: set[int]) -> None:
            self._sockets.worker_ended(self._who, process, lambda inode: inode in still_open)

        self._aside(see, then)
