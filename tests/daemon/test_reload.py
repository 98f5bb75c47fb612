"""What a reload does to the ports of a service, and what becomes of one that cannot begin."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.core.journal import Mistake
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.service.keeper import Keeper
from supervisor.daemon.stack import reload
from supervisor.daemon.stack.reload import Reloader
from supervisor.dataclass import replace
from supervisor.errors import ExitCode, PortsupError
from tests.support.scene import CHAIN, Scene

WEB = Service("other", (8000, 8001), state=State.FAILED, port=8000)


class Lease:
    """One that is held until it is released."""

    active, is_held = 8000, True

    def release(self) -> None:
        self.is_held = False


class Anybody:
    """Takes whatever it is told."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


@pytest.mark.parametrize(("pid", "is_held"), [(7, True), (None, False)])
def test_a_port_is_given_back_when_no_process_can_have_it(pid: int | None, is_held: bool) -> None:
    """One that is still alive after SIGKILL may still listen there."""
    scene, lease = Scene(CHAIN), Lease()
    slot = scene.slots["other"]
    slot.keeper = Keeper(replace(WEB, pid=pid), scene.world, scene.loop.itself)
    slot.pool, slot.shared.lease, slot.log = (8000, 8001), lease, Anybody()  # type: ignore[assignment]
    world = Anybody()
    world.slots = scene.slots  # type: ignore[attr-defined]
    reloader = Reloader.__new__(Reloader)
    reloader._world, reloader._stack, reloader._profiles = world, scene.stack, ()  # type: ignore[assignment]
    reloader._swap(slot, replace(slot.spec, pool=(9000, 9001)), (9000, 9001))
    assert lease.is_held is is_held
    assert (slot.lease is not None) is is_held
    assert slot.pool == slot.service.pool == (9000, 9001)


class Beginning:
    """A reload of a stack, which is still what it was in the end, and what the journal has of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scene = Scene(CHAIN)
        self.told: list[Any] = []
        self.reloader = Reloader.__new__(Reloader)
        self.spec = cast(Any, SimpleNamespace(files=()))
        self.reloader.spec, self.reloader._asked, self.reloader._is_busy = self.spec, (), False
        self.reloader._stack, self.reloader._world = self.scene.stack, Anybody()  # type: ignore[assignment]
        self.reloader._journal = SimpleNamespace(tell=self.told.append, redact=str)  # type: ignore[assignment]
        monkeypatch.setattr(reload, "stamps_of", lambda _: {})

    def refused(self) -> PortsupError:
        """Why it was refused, once nothing is changed and another one may begin."""
        before = self.scene.stack.services()
        with pytest.raises(PortsupError) as raised:
            asyncio.run(self.reloader.apply(self.told.append, self.told.append))
        assert (self.reloader.spec, self.reloader._is_busy) == (self.spec, False)
        assert self.scene.stack.services() == before
        return raised.value


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(12, "Cannot allocate memory"), "cannot allocate memory"),
        (OSError(24, "Too many open files"), "too many open files"),
        (MemoryError(), "not enough memory"),
        (ImportError("libz.so: cannot open shared object file"), "libz.so: cannot open shared object file"),
    ],
)
@pytest.mark.parametrize("at", ["read_again", "load_for"])
def test_a_reload_that_lacks_something_before_it_changes_anything_is_refused(
    monkeypatch: pytest.MonkeyPatch, error: Exception, why: str, at: str
) -> None:
    beginning = Beginning(monkeypatch)

    async def read(*_: Any) -> Any:
        if at == "read_again":
            raise error
        return SimpleNamespace(), None

    module: Any = reload

    async def look(self: Reloader, asked: Any) -> Any:
        new, found = await module.read_again(None, self.spec, asked)
        module.load_for(new)
        return new, found

    def load(_: Any) -> None:
        raise error

    monkeypatch.setattr(reload, "read_again", read)
    monkeypatch.setattr(reload, "load_for", load)
    monkeypatch.setattr(Reloader, "_look", look)
    refused = beginning.refused()
    assert (refused.what, refused.why, refused.exit_code) == ("cannot answer `reload`", why, ExitCode.FAILURE)
    assert beginning.told == []


def test_an_internal_error_before_a_reload_changes_anything_is_told_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beginning = Beginning(monkeypatch)

    async def read(*_: Any) -> Any:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(reload, "read_again", read)
    refused = beginning.refused()
    assert (refused.why, refused.exit_code) == ("internal error of portsup: ZeroDivisionError: a mistake", ExitCode.BUG)
    assert [type(each) for each in beginning.told] == [Mistake]
