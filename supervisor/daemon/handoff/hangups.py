"""Tells when a program shuts down a listening socket that we keep, shutdown(2): nobody would listen on its port.

A kept socket cannot be waited for in the event loop, which would wake for every client.  An epoll descriptor of its own
watches all of them for EPOLLHUP alone, which is always told, epoll_ctl(2); or for the next client, and no more.
"""

import contextlib
import select
import socket
from collections.abc import Callable

from supervisor.daemon.handoff.hearing import Loop

Tell = Callable[[], None]


class HangUps:
    """The kept sockets of all services; made with the first one."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._epoll: select.epoll | None = None
        self._told: dict[int, dict[Tell, Tell | None]] = {}
        self._watched_by: dict[Tell, set[int]] = {}  # no fewer than those by which one is told

    def watch(self, sock: socket.socket, tell: Tell, on_client: Tell | None = None) -> None:
        """Calls `tell` once when `sock` is shut down, or `on_client` once when a client waits there.

        Others may watch it, too: replicas can have one socket.  Perhaps it does so for another one with the number of
        its descriptor.  Of one that is closed nothing has to be said: nobody looks at what is no more.
        """
        with contextlib.suppress(OSError):  # no descriptor is left: then less is known
            if self._epoll is None:
                with contextlib.ExitStack() as undo:
                    epoll = undo.enter_context(select.epoll())
                    self._loop.add_reader(epoll.fileno(), self._look)
                    undo.pop_all()
                self._epoll = epoll
            self._told.setdefault(sock.fileno(), {})[tell] = on_client
            self._watched_by.setdefault(tell, set()).add(sock.fileno())
            self._arm(self._epoll, sock.fileno())

    def forget(self, tell: Tell) -> None:
        """Calls this no more."""
        for number in self._watched_by.pop(tell, ()):
            told = self._told.get(number, {})
            told.pop(tell, None)
            if not told:
                self._told.pop(number, None)

    def close(self) -> None:
        """Watches nothing any more."""
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _look(self) -> None:
        if (epoll := self._epoll) is None:
            return
        for number, events in epoll.poll(0):
            if self._epoll is None:  # what was told led to the end of this
                return
            told = self._told.pop(number, {})
            is_shut = bool(events & select.EPOLLHUP)
            if told and not is_shut:
                self._told[number] = dict.fromkeys(told)
                with contextlib.suppress(OSError):  # it was closed
                    self._arm(epoll, number)
            for call in told if is_shut else filter(None, told.values()):
                call()

    def _arm(self, epoll: "select.epoll", number: int) -> None:
        events = select.EPOLLONESHOT | (select.EPOLLIN if any(self._told[number].values()) else 0)
        try:
            epoll.register(number, events)
        except FileExistsError:
            epoll.modify(number, events)
