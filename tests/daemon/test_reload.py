"""What a reload does to the ports of a service."""

from typing import Any

import pytest

from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.service.keeper import Keeper
from supervisor.daemon.stack.reload import Reloader
from supervisor.dataclass import replace
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
