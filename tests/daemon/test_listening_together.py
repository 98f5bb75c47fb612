"""Processes of a service that begin to listen at one address, in each order in which that may come: a call is looked
into while others listen, shut down what they have, or end.

Where no queue moves they have one socket.
"""

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest

from supervisor import system
from supervisor.core.handoff import BindMode
from supervisor.daemon.handoff.calls import Handoff
from supervisor.daemon.handoff.hearing import Hearing
from supervisor.ports.reservation import Reservation, reserve
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.process.filters import why_not
from supervisor.process.spawn import spawn
from supervisor.system.held_calls import HeldCalls
from supervisor.system.seccomp import BindFilter
from tests.support.children import Children, children
from tests.support.ports import free_port
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]


class Later:
    """A loop whose timers ring, and whose looks end, when the test says so."""

    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], object]] = {}
        self.timers: list[Callable[[], object]] = []
        self.looks: list[Callable[[], object]] = []

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        self.readers[fd] = callback

    def remove_reader(self, fd: int) -> None:
        self.readers.pop(fd, None)

    def call_later(self, _: float, callback: Callable[[], object]) -> "Later":
        self.timers.append(callback)
        return self

    def cancel(self) -> None:
        """Of a timer: whatever was cancelled must bear that it rings."""

    def aside(self, look: Callable[[], Any], then: Callable[[Any], None]) -> None:
        seen = look()
        self.looks.append(lambda: then(seen))

    def finish_looks(self) -> None:
        while self.looks:
            self.looks.pop(0)()

    def ring_all(self) -> None:
        while self.timers or self.looks:
            self.finish_looks()
            if self.timers:
                self.timers.pop(0)()


class Replica:
    """A program that listens under the filter, and asks for that when the test says so."""

    def __init__(self, sockets: ServiceSockets, under: BindFilter, start: Children, who: str) -> None:
        self.who, self.sockets, self.loop, self.is_ready = who, sockets, Later(), False
        self.code: int | None = None
        self.pid = spawn(start.command(*program("listens"), environment={"PORT": str(sockets.port)}), under.calls)
        told: list[Callable[..., None]] = [lambda *_: None] * 6
        hearing = Hearing(lambda: {self.pid}, *told)
        self.handoff = Handoff(
            self.loop, HeldCalls(under.take()), sockets, BindMode.REPORT, hearing, who=who, aside=self.loop.aside,
            may_go_on=lambda: False,  # one call in a turn
        )  # fmt: skip
        self.handoff.expect(self._listens)
        self.handoff.begin()

    def _listens(self) -> None:
        self.is_ready = True

    def call(self) -> None:
        """Its next call comes: it is answered, or looked into until `finish_looks`."""
        ready = select.select(list(self.loop.readers), [], [], 20)[0]
        assert ready, "no call within 20 s"
        self.loop.readers[ready[0]]()

    def wait(self) -> int:
        """Its exit code, negative for a signal."""
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) if self.code is None else self.code
        return self.code

    def end(self) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.handoff.close()
        self.sockets.process_ended(self.who)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Replica]]:
    """Those of a service; they have bound their port, and none listens."""
    monkeypatch.setattr(system, "moves_queues", lambda: "", raising=False)
    monkeypatch.setattr(system, "have_queue_moved", lambda _: None, raising=False)
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    sockets, under = ServiceSockets(reservation), BindFilter()
    sockets.spread()
    with children() as start, contextlib.closing(reservation), contextlib.closing(sockets), contextlib.closing(under):
        made = [Replica(sockets, under, start, str(number)) for number in (1, 2, 3)]
        for each in made:
            each.call()
        yield made
        for each in made:
            each.end()


def answers(port: int) -> int:
    """The pid of whoever answers."""
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        return int(client.recv(64))


@pytest.mark.parametrize("order", tuple(permutations(range(3))))
def test_each_listens_in_whatever_order_they_are_looked_into(three: list[Replica], order: tuple[int, ...]) -> None:
    for each in three:
        each.call()
    for number in order:
        three[number].loop.finish_looks()
    assert not any(each.is_ready for each in three)
    for number in order:
        three[number].loop.ring_all()
    assert [each.is_ready for each in three] == [True] * 3
    assert {answers(three[0].sockets.port) for _ in range(30)} <= {each.pid for each in three}


def test_one_that_is_looked_into_listens_when_the_other_shuts_its_socket_down_meanwhile(three: list[Replica]) -> None:
    first, second, _ = three
    first.call()
    second.call()
    (theirs,) = second.sockets.kept_of(first.who)
    theirs.shutdown(socket.SHUT_RDWR)
    second.loop.finish_looks()
    second.loop.ring_all()
    assert second.is_ready
    assert answers(second.sockets.port) == second.pid


def test_one_that_is_looked_into_listens_when_the_other_ends_meanwhile(three: list[Replica]) -> None:
    first, second, _ = three
    first.call()
    second.call()
    first.end()
    second.loop.finish_looks()
    second.loop.ring_all()
    assert second.is_ready
    assert answers(second.sockets.port) == second.pid


def test_one_that_is_looked_into_is_refused_when_the_service_is_stopped_meanwhile(three: list[Replica]) -> None:
    first, second, _ = three
    first.call()
    second.call()
    second.sockets.close()
    second.loop.finish_looks()
    second.loop.ring_all()
    assert not second.is_ready
    assert second.wait() == 1
