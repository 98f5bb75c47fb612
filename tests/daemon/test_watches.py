"""What becomes of services where the loop cannot watch one more descriptor, or no thread is to be had."""

import _thread
import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.core import events as ev
from supervisor.core.handoff import BindMode, Give, Place
from supervisor.daemon.console.foreground import Pipe
from supervisor.daemon.handoff.calls import Handoff
from supervisor.daemon.handoff.contained import ContainedLoop
from supervisor.daemon.handoff.hangups import HangUps
from supervisor.daemon.handoff.hearing import Hearing
from supervisor.daemon.handoff.listening_workers import ListeningWorkers
from supervisor.daemon.handoff.looks import Seen, at_once
from supervisor.daemon.service.callers import Callers
from supervisor.system.registrations import Entry, Uses, register_again
from tests.support.descriptors import descriptors

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="Linux only")


class Loop:
    """Watches nothing while `is_full`, as epoll_ctl(2) has it with ENOSPC; time passes by `later`."""

    def __init__(self) -> None:
        self.is_full = True
        self.watched: dict[int, Callable[..., object]] = {}
        self._later: list[Callable[[], object]] = []

    def add_reader(self, fd: int, callback: Callable[..., object], *_: object) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.watched[fd] = callback

    add_writer = add_reader

    def remove_reader(self, fd: int) -> None:
        self.watched.pop(fd, None)

    remove_writer = remove_reader

    def call_later(self, delay: float, callback: Callable[[], object]) -> "Loop":
        self._later.append(callback)
        return self

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: object) -> None:
        raise AssertionError("no thread was to be had")

    def cancel(self) -> None:
        self._later.clear()

    def later(self) -> None:
        due, self._later = self._later, []
        for callback in due:
            callback()


class Anything:
    """Takes whatever it is told, and gives `descriptor` for a number."""

    def __init__(self, **them: Any) -> None:
        self.__dict__.update(them)

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def hearing() -> Hearing:
    quiet = lambda *_: None  # noqa: E731
    return Hearing(set, quiet, quiet, quiet, quiet, quiet, quiet)


def test_the_calls_of_a_process_wait_until_the_loop_can_watch_them_again() -> None:
    """After a look aside; the bind that was looked into is answered at once."""
    loop, refused = Loop(), []
    calls = Anything(
        fileno=lambda: 99, is_valid=lambda _: True, fail=lambda _, number: refused.append(number),
        letting_go=contextlib.nullcontext,
    )  # fmt: skip
    sockets = Anything(inodes_of=lambda *_: {1})
    handoff = Handoff(loop, calls, sockets, BindMode.REPORT, hearing())  # type: ignore[arg-type]
    handoff.aside = lambda look, then: then(Seen(trouble=OSError(errno.EIO, "")))
    with socket.socket() as theirs:
        give = Give(Place(2, "127.0.0.1"), doubtful=(Place(2, "127.0.0.1"),))
        handoff._look_and_give(Anything(), theirs, sockets, give)  # type: ignore[arg-type]
    assert (refused, loop.watched) == ([errno.EIO], {})
    loop.later()
    loop.is_full = False
    loop.later()
    assert set(loop.watched) == {99}
    handoff.close()
    assert loop.watched == {}


def test_a_process_that_listens_again_and_again_without_a_bind_costs_nothing_for_good() -> None:
    loop = Loop()
    told: list[int] = []
    asked: Any = Anything()
    calls = Anything(fileno=lambda: 99, letting_go=contextlib.nullcontext)
    handoff = Handoff(loop, calls, None, BindMode.REPORT, hearing())  # type: ignore[arg-type]
    handoff.hearing.on_other_port = told.append
    with socket.socket() as theirs:
        theirs.listen()
        for number in range(1, 100):
            assert not handoff._listen_unbound(asked, theirs)
            assert len(handoff._timers) == 1
            loop.later()
            assert (len(told), len(handoff._timers)) == (number, 0)
        handoff._listen_unbound(asked, theirs)
    handoff.close()
    assert len(handoff._timers) == 0


def test_a_process_whose_calls_cannot_be_watched_is_not_begun_with() -> None:
    loop = Loop()
    offered = Place(2, "127.0.0.1")
    handoff = Handoff(loop, Anything(fileno=lambda: 99), None, BindMode.REPORT, hearing(), offered)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="No space left"):
        handoff.begin()
    assert not handoff.has_listened


@pytest.mark.live
def test_hang_ups_are_watched_as_soon_as_there_is_room() -> None:
    loop = Loop()
    hang_ups, told = HangUps(loop), []
    before = descriptors(os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as server:
        hang_ups.watch(server, lambda: told.append("first"))
        assert sum((descriptors(os.getpid()) - before).values()) == 1
        loop.is_full = False
        hang_ups.watch(server, lambda: told.append("second"))
        server.shutdown(socket.SHUT_RD)
        (look,) = loop.watched.values()
        look()
    assert told == ["second"]
    hang_ups.close()


@pytest.mark.live
def test_all_who_watch_one_socket_are_told_that_it_was_shut_down_also_after_a_client_came() -> None:
    loop = Loop()
    loop.is_full = False
    hang_ups, told = HangUps(loop), []
    tells = [lambda name=name: told.append(name) for name in ("first", "second", "third")]
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        hang_ups.watch(server, tells[0], lambda: told.append("client"))
        for tell in tells[1:]:
            hang_ups.watch(server, tell)
        hang_ups.watch(other, tells[1])
        (look,) = loop.watched.values()
        with socket.create_connection(server.getsockname()):
            look()
            look()
            assert told == ["client"]
            hang_ups.forget(tells[1])
            for each in (server, other):
                each.shutdown(socket.SHUT_RD)
            look()
    assert told == ["client", "first", "third"]
    hang_ups.close()


def test_workers_are_watched_as_soon_as_there_is_room() -> None:
    loop = Loop()
    ended: list[int] = []
    sockets = Anything(
        seats=lambda: {"here": Anything(workers=lambda _: {os.getpid()} - set(ended), claims=())}, kept_of=lambda _: [],
        inodes=frozenset, worker_ended=lambda _, pid, is_open: ended.append(pid),
    )  # fmt: skip
    watch = ListeningWorkers(loop, sockets, "1", set, at_once, HangUps(loop))  # type: ignore[arg-type]
    before = descriptors(os.getpid())
    watch.look()
    assert descriptors(os.getpid()) == before
    loop.is_full = False
    watch.look()
    (tell,) = loop.watched.values()
    tell()
    assert ended == [os.getpid()]
    assert (descriptors(os.getpid()), loop.watched) == (before, {})


@pytest.mark.live
def test_a_service_whose_first_client_cannot_be_watched_for_fails_alone() -> None:
    told: list[ev.Event] = []
    loop = Loop()
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        slot: Any = Anything(
            spec=Anything(name="web", handoff="auto"), keeper=Anything(tell=told.append), host="",
            service=Anything(port=1), replica=None, of="web",
            shared=Anything(sockets=Anything(await_clients=lambda _: [one, two])),
        )  # fmt: skip
        programs: Any = Anything(environment=lambda *_: {"HOST": "127.0.0.1"})
        slot.replicas = [slot]
        callers = Callers(loop, programs, Anything(get=lambda: "a filter"), hands_over=True)  # type: ignore[arg-type]
        assert isinstance(callers.wait_for(slot), ev.AwaitFailed)
        assert loop.watched == {}
        loop.is_full = False
        assert callers.wait_for(slot) is None
        assert loop.watched.keys() == {one.fileno(), two.fileno()}
        callers.forget(slot)
        assert loop.watched == {}
        assert told == []


def test_what_waits_for_a_slow_terminal_is_sent_once_the_loop_can_watch_it() -> None:
    loop = Loop()
    reading, writing = os.pipe()
    pipe = Pipe(writing, loop)  # type: ignore[arg-type]
    text = b"x" * 200_000 + b"\n"
    pipe.write(text)
    got = len(os.read(reading, 1 << 20))
    loop.later()
    assert loop.watched == {}
    loop.is_full = False
    loop.later()
    while loop.watched:
        loop.watched[writing]()
        got += len(os.read(reading, 1 << 20))
    assert got == len(text)
    pipe.close()
    os.close(reading)


def test_a_look_is_made_at_once_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    seen: list[int] = []
    ContainedLoop(Loop(), print).aside(lambda: 7, seen.append)  # type: ignore[arg-type]
    assert seen == [7]
    with socket.socket() as before, socket.socket() as after, select.epoll() as epoll:
        epoll.register(before, select.EPOLLIN)
        uses = Uses({before.fileno(): True}, (Entry(epoll.fileno(), before.fileno(), 1, 1),))
        with pytest.raises(BlockingIOError):
            register_again(os.getpid(), uses, before, after)
