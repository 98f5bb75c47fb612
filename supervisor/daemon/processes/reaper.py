"""Collects the ends of all our children: those we spawned, and the orphans that the kernel hands us as a subreaper."""

import asyncio
from collections.abc import Callable

from supervisor import system
from supervisor.daemon.stalls import doing, has_time
from supervisor.words import activities

OnExit = Callable[[int], None]  # is given the wait status, wait(2)


class Reaper:
    """Waits for every child of this process, so it must be the only one that does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._followers: list[Callable[[], None]] = []
        self._watched: dict[int, OnExit] = {}
        self._is_due = False
        system.follow_children(loop, self.reap)

    def watch(self, pid: int, on_exit: OnExit) -> None:
        """Calls `on_exit` when the child `pid` has ended; say it before the loop runs again after the spawn."""
        self._watched[pid] = on_exit

    def follow_orphans(self, tell: Callable[[], None]) -> None:
        """Calls `tell` whenever children have ended that nobody watches."""
        self._followers.append(tell)

    def is_watched(self, pid: int) -> bool:
        """Whether the child `pid` is still there, be it as a zombie."""
        return pid in self._watched

    def others(self, *pids: int) -> set[int]:
        """Every child that is watched but these: main processes and running probes."""
        return self._watched.keys() - set(pids)

    def reap(self) -> None:
        """Collects whatever has ended, soon; a hundred may have since the last turn of the loop, with a signal each."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._reap)

    def _reap(self) -> None:
        self._is_due = False
        doing(self._loop, activities.REAPING)
        orphans, number = False, 0
        while True:
            if number and not has_time(self._loop):  # so many ended at once
                self.reap()
                break
            number += 1
            try:
                ended = system.collect_child()
            except ChildProcessError:
                break
            if ended is None:
                break
            pid, status = ended
            on_exit = self._watched.pop(pid, None)
            if on_exit is None:
                orphans = True
            else:
                try:
                    on_exit(status)
                except Exception as error:  # the others have ended all the same
                    self._loop.call_exception_handler({"message": "the end of a process", "exception": error})
        if orphans:
            for tell in self._followers:
                tell()

    def close(self) -> None:
        """Leaves the children to whoever comes after."""
        system.unfollow_children(self._loop)


def code_and_signal(status: int) -> tuple[int | None, int | None]:
    """The exit code, or else the signal, that a wait status tells of."""
    code = system.exit_code_of(status)
    return (code, None) if code >= 0 else (None, -code)
