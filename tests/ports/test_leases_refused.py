"""Who has had a port goes on, although the system refuses what another one would need."""

import errno
import os

import pytest

from supervisor.errors import PortsupError
from supervisor.ports import leases
from supervisor.ports.leases import ChosenPort
from supervisor.ports.port_lock import PortLock
from supervisor.ports.record import Record
from supervisor.ports.runtime import RuntimeDir
from tests.ports.conftest import MakeLease, Stranger
from tests.ports.test_leases import states
from tests.support.ports import free_pool

pytestmark = pytest.mark.live


def test_who_has_had_a_port_gets_one_though_its_record_cannot_be_written(
    lease: MakeLease, runtime: RuntimeDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: PortLock) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    pool = free_pool(2)
    web = lease(pool, records_later=True)
    web.choose({}, now=0.0)
    with monkeypatch.context() as full:
        full.setattr(PortLock, "write_record", refuse)
        assert web.choose({}, now=0.0, leaving=pool[0]) == ChosenPort(pool[1])
        assert states(web.ports(0.0)) == ["spare", "active"]
    assert Record.read(runtime.port_record(pool[1])) is None
    web.record()
    assert Record.read(runtime.port_record(pool[1])) is not None
    web.release()


def test_a_spare_that_cannot_be_had_now_stops_nobody_who_has_had_a_port(
    lease: MakeLease, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    pool = free_pool(2)
    web = lease(pool)
    with stranger(pool[1]):
        web.choose({}, now=0.0)
    monkeypatch.setattr(leases, "reserve", refuse)
    assert web.choose({}, now=0.0) == ChosenPort(pool[0])
    with pytest.raises(PortsupError, match="too many open files"):
        web.choose({pool[0]: "avoided"}, now=0.0)
    web.release()
