"""How processes are started where the system lets us down halfway."""

import errno
import socket
import sys
from typing import Any

import pytest

from supervisor.config.spec import HandoffMode
from supervisor.core.handoff import Place
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.service.spawner import TRY_AGAIN, Spawner, spawn_failed
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.process.filters import Filters
from supervisor.process.spawn import Command
from tests.support.exhausted import no_descriptor_left
from tests.support.scene import CHAIN, Scene

LATE = ("supervisor.daemon.handoff.relays", "supervisor.daemon.handoff.rescue")
COMMAND = Command(("x",), {"HOST": "127.0.0.1"}, "/", 1, 2)


class Filter:
    """One whose descriptor does not come over."""

    calls = None

    def take(self) -> int:
        raise OSError(errno.EMFILE, "too many open files")


class Lease:
    """One with a port that nobody else can get as long as it is not handed over."""

    def __init__(self) -> None:
        self.is_handed_over = False

    def reservation(self) -> object:
        return self

    def hand_over(self) -> None:
        self.is_handed_over = True


class Sockets:
    """Those of a service that runs."""

    is_closed = False
    on_adrift = None

    def close(self) -> None:
        self.is_closed = True

    def places(self, who: object) -> dict[Place, bool]:
        return {Place(socket.AF_INET, "127.0.0.2"): False, Place(socket.AF_INET, "127.0.0.1"): who == "2"}


class Anybody:
    """Takes whatever it is told."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: {}


def starter(monkeypatch: pytest.MonkeyPatch) -> tuple[Spawner, list[str]]:
    done: list[str] = []

    def spawn(*_: object) -> int:
        done.append("spawned")
        return 9

    monkeypatch.setattr("supervisor.daemon.service.spawner.spawn", spawn)
    monkeypatch.setattr("supervisor.process.tree.end_at_once", lambda pid: done.append(f"killed {pid}"))
    made = Spawner(None, Anybody(), Anybody(), Filters(), hands_over=True)  # type: ignore[arg-type]
    monkeypatch.setattr(made._filters, "_filter", Filter())
    monkeypatch.setattr(made._filters, "close", lambda: setattr(made._filters, "_filter", None))
    return made, done


def slot(**more: Any) -> Slot:
    found = Scene(CHAIN).slots["other"]
    found.shared.lease, found.shared.sockets = Lease(), Sockets()  # type: ignore[assignment]
    found.spec = replace(found.spec, **more)
    return found


def test_a_process_that_runs_keeps_its_sockets_when_the_next_one_can_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    made, done = starter(monkeypatch)
    monkeypatch.setattr(Filter, "take", breaks(errno.EBADF, "it is no seccomp descriptor"))
    running = slot()
    running.child = Child(7, None, 0.0, {}, {})  # type: ignore[arg-type]
    with pytest.raises(PortsupError, match="no seccomp descriptor"):
        made.start(running, COMMAND)
    assert done == ["spawned", "killed 9"]
    assert running.sockets is not None
    assert running.lease is not None
    assert not running.lease.is_handed_over  # type: ignore[attr-defined]


def breaks(number: int, why: str) -> Any:
    """A look into the letterbox that fails."""

    def take(_: Filter) -> int:
        raise OSError(number, why)

    return take


@pytest.mark.parametrize("is_second", [True, False], ids=["second process", "replica"])
def test_what_needs_the_filter_is_tried_again_where_the_system_was_short_of_something(
    monkeypatch: pytest.MonkeyPatch, is_second: bool
) -> None:
    made, _ = starter(monkeypatch)
    needs = slot()
    if is_second:
        needs.child = Child(7, None, 0.0, {}, {})  # type: ignore[arg-type]
    else:
        needs.shared.slots.append(slot())
    with pytest.raises(OSError, match="too many open files") as raised:
        made.start(needs, COMMAND)
    assert spawn_failed(raised.value).is_transient


@pytest.mark.parametrize(
    ("number", "is_tried_again"), [(errno.EMFILE, True), (errno.ENOMEM, True), (errno.EBUSY, False)]
)
def test_the_filter_is_given_up_for_good_only_where_it_does_not_work(
    monkeypatch: pytest.MonkeyPatch, number: int, is_tried_again: bool
) -> None:
    """One moment without a descriptor must not cost a stack its kept sockets until its end."""
    made, _ = starter(monkeypatch)
    monkeypatch.setattr(Filter, "take", breaks(number, "refused"))
    assert made.start(slot(), COMMAND) == (9, None)
    tried: list[int] = []

    def rehearse(_: object) -> int:
        tried.append(1)
        return errno.EBUSY

    monkeypatch.setattr("supervisor.process.filters.rehearse", rehearse)
    monkeypatch.setattr("supervisor.process.filters.system.handoff_support", lambda: "")
    assert made._filters.get() is None
    assert tried == [1] * is_tried_again
    made._filters.get()
    assert tried == [1] * is_tried_again, "by now it is known for good"


def test_one_that_is_alone_is_started_without_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    made, done = starter(monkeypatch)
    alone = slot()
    assert made.start(alone, COMMAND) == (9, None)
    assert done == ["spawned", "killed 9", "spawned"]
    assert (alone.sockets, alone.lease.is_handed_over) == (None, True)  # type: ignore[union-attr]
    assert alone.why_no_handoff == "too many open files"


class Calls:
    """Those of a process that was started under the filter."""

    is_closed = False

    def __init__(self, descriptor: int) -> None:
        pass

    def close(self) -> None:
        Calls.is_closed = True


def test_one_whose_clients_cannot_be_spread_over_all_replicas_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would follow it, nor answer its bind."""

    def refuse() -> None:
        raise OSError(errno.ENOBUFS, "no buffer space available")

    made, done = starter(monkeypatch)
    one, other = slot(), slot()
    one.shared.slots.append(other)
    monkeypatch.setattr(one.sockets, "spread", refuse, raising=False)
    monkeypatch.setattr(Filter, "take", lambda self: 5)
    monkeypatch.setattr("supervisor.daemon.service.spawner.HeldCalls", Calls)
    with pytest.raises(OSError, match="no buffer space"):
        made.start(one, COMMAND)
    assert (done, Calls.is_closed) == (["spawned", "killed 9"], True)


def test_the_address_of_a_socket_is_not_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that has gone since would leave a process behind that nobody follows."""
    made, _ = starter(monkeypatch)
    given: list[object] = []

    class Handoff(Anybody):
        def __init__(self, *them: object) -> None:
            given.extend(them)

    monkeypatch.setattr("supervisor.daemon.service.spawner.Handoff", Handoff)
    child = Child(7, None, 0.0, {"HOST": "gone.invalid"}, {}, invocation="2")  # type: ignore[arg-type]
    made.hand_over(slot(handoff=HandoffMode.SYSTEMD), child, Anybody(), set, print)  # type: ignore[arg-type]
    assert Place(socket.AF_INET, "127.0.0.1") in given


def test_who_waits_where_no_process_is_waits_on_while_no_descriptor_is_left() -> None:
    """What leads them on is loaded when it is needed first."""
    later: list[tuple[float, Any]] = []

    class Loop(Anybody):
        def call_later(self, seconds: float, act: Any) -> None:
            later.append((seconds, act))

        def time(self) -> float:
            return 0.0

    made = Spawner(Loop(), Anybody(), Anybody(), Filters(), hands_over=True)  # type: ignore[arg-type]
    begin = made._rescuing(Anybody(), "web")  # type: ignore[arg-type]
    kept = {name: sys.modules.pop(name, None) for name in LATE}
    try:
        with no_descriptor_left():
            begin()
        ((seconds, again),) = later
        assert seconds == TRY_AGAIN
        later.clear()
        again()
        assert [seconds for seconds, _ in later] == [0]  # the first look at who waits
    finally:
        sys.modules.update({name: module for name, module in kept.items() if module is not None})
