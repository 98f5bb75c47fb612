"""Keeps an eye on the sockets of a process tree that listen: what we keep must not be what nobody accepts from.

Of workers that share a port one socket is kept.  When its worker ends, or closes it and lives on, another one's is kept
in its place, and what waits there moves.  Where no queue moves, those of the others are held, too.  A close is told to
nobody, because we have the socket too: it is looked for when a client comes, and not again for a moment.
"""

import contextlib
import os
from collections.abc import Callable, Collection

from supervisor.daemon.handoff.hangups import HangUps
from supervisor.daemon.handoff.hearing import Loop, Timer
from supervisor.daemon.handoff.looks import Aside, open_inodes
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.ports.stand_ins import alone_with

LOOK_AGAIN = 1.0  # seconds from a client until the next one is a reason to look
SOON = 0.5  # the same where several sockets may be closed while clients get there


class ListeningWorkers:
    """The processes of one tree, `who`, that listen."""

    def __init__(
        self, loop: Loop, sockets: ServiceSockets, who: object, members: Callable[[], Collection[int]], aside: Aside,
        hang_ups: HangUps,
    ) -> None:  # fmt: skip
        self._loop = loop
        self._sockets = sockets
        self._who = who
        self._members = members
        self._aside = aside
        self._hang_ups = hang_ups
        self._watched: dict[int, int] = {}  # pidfds by process
        self._timer: Timer | None = None
        self._is_closed = False

    def look(self) -> None:
        """Watches what is kept now, and those that listen where there are several."""
        if self._is_closed:
            return
        workers = {each for seat in self._sockets.seats().values() for each in seat.workers(self._who)}
        on_client = self._on_client if workers and self._timer is None else None
        for kept in self._sockets.kept_of(self._who):
            self._hang_ups.watch(kept, self._shut_down, on_client)
        for process in workers - self._watched.keys():
            # Gone, or no descriptor is left: the next listen looks again, and the end of the tree is told anyway.
            with contextlib.suppress(OSError), contextlib.ExitStack() as undo:
                descriptor = os.pidfd_open(process)
                undo.callback(os.close, descriptor)
                self._loop.add_reader(descriptor, lambda process=process: self._ended(process))  # type: ignore[misc]
                self._watched[process] = descriptor
                undo.pop_all()

    def close(self) -> None:
        """Watches nobody any more."""
        self._is_closed = True
        self._hang_ups.forget(self._shut_down)
        if self._timer is not None:
            self._timer.cancel()
        for process in tuple(self._watched):
            self._forget(process)

    def _forget(self, process: int) -> None:
        descriptor = self._watched.pop(process)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)

    def _shut_down(self) -> None:
        self._sockets.shut_down(self._who)
        self.look()

    def _on_client(self) -> None:
        if self._is_closed or self._timer is not None:
            return
        is_one = len(self._sockets.kept_of(self._who)) < 2
        self._timer = self._loop.call_later(LOOK_AGAIN if is_one else SOON, self._wait_again)
        for process in {each for seat in self._sockets.seats().values() for each in seat.closers(self._who)}:
            self._find_heirs(process)

    def _wait_again(self) -> None:
        self._timer = None
        self.look()

    def _ended(self, process: int) -> None:
        self._forget(process)
        self._find_heirs(process)

    def _find_heirs(self, process: int) -> None:
        """Keeps those of others in the place of what this process had, unless somebody has that still."""
        inodes = self._sockets.inodes()
        alone = {inode for seat in self._sockets.seats().values() for inode in alone_with(seat, self._who, process)}

        def see() -> set[int]:
            with contextlib.suppress(OSError):
                return {*open_inodes(inodes - alone, self._members()), *open_inodes(alone, (process,))}
            return set(inodes)

        def then(still_open: set[int]) -> None:
            self._sockets.worker_ended(self._who, process, lambda inode: inode in still_open)
            self.look()

        self._aside(see, then)
