"""The leases of several services that are made at once."""

import pytest

from supervisor import system
from supervisor.ports.leases import ChosenPort, PoolLease, drop_joined
from tests.ports.conftest import MakeLease, Stranger
from tests.support.lingering import leave_time_wait, tells_of_bound_sockets
from tests.support.ports import free_pool
from tests.support.thief import ways_in

pytestmark = pytest.mark.live


def states(lease: PoolLease) -> list[str]:
    return [status.state.value for status in lease.ports(0.0)]


def test_many_pools_are_held_at_once_and_the_kernel_is_asked_once(
    lease: MakeLease, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not tells_of_bound_sockets():
        pytest.skip("the kernel tells of bound sockets since 6.8")
    ports = free_pool(4)
    stranger(ports[1], listens=False, reuse=True)
    leave_time_wait(ports[0])
    leave_time_wait(ports[2])
    web, api = lease(ports[:2], service="web", records_later=True), lease(ports[2:], service="api", records_later=True)
    asked: list[set[int]] = []
    bound_only = system.bound_only

    def ask(wanted: set[int]) -> object:
        asked.append(set(wanted))
        return bound_only(wanted)

    monkeypatch.setattr(system, "bound_only", ask)
    drop_joined([*web.begin(), *api.begin()])
    assert asked == [set(ports[:3])]
    assert states(web) == ["spare", "taken"]
    assert states(api) == ["spare", "spare"]
    assert api.choose({}, now=0.0) == ChosenPort(ports[2])
    assert asked == [set(ports[:3])]
    assert web.choose({}, now=0.0) == ChosenPort(ports[0])  # that finds out who has the other one
    assert set().union(*asked[1:]) == {ports[1]}
    assert [ways_in(port) for port in ports[2:]] == [[], []]
