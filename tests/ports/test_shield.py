"""A lost lock is noticed at once, and nothing else wakes anybody."""

import os
import select
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor import system
from supervisor.core.reasons import LockGone
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.instances import RunInfo, running
from supervisor.ports.leases import Loss, PoolLease
from supervisor.ports.record import Record
from supervisor.ports.runtime import RuntimeDir
from supervisor.ports.shield import Shield
from tests.ports.conftest import MakeLease, owner
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

POOL_SIZE = 3


@pytest.fixture
def web(lease: MakeLease) -> PoolLease:
    leased = lease(free_pool(POOL_SIZE))
    leased.choose({}, now=0.0)
    return leased


@pytest.fixture
def shield(runtime: RuntimeDir, web: PoolLease) -> Iterator[Shield]:
    new = Shield(runtime, [web])
    if new.fileno() is None:
        pytest.skip("no file events here")
    yield new
    new.close()


def wakes(shield: Shield, within: float) -> bool:
    descriptor = shield.fileno()
    assert descriptor is not None
    return bool(select.select([descriptor], [], [], within)[0])


def told(shield: Shield, within: float = 1.0) -> tuple[Loss, ...]:
    """The first losses that file events tell of; empty if nothing wakes us in time."""
    deadline = time.monotonic() + within
    while wakes(shield, max(0.0, deadline - time.monotonic())):
        losses = shield.on_readable()
        if losses:
            return losses
    return ()


def is_silent(shield: Shield) -> bool:
    return not wakes(shield, 0.05)


def first(web: PoolLease) -> int:
    assert web.active is not None
    return web.active


def test_a_deleted_lock_file_is_told_with_port_and_reason(shield: Shield, web: PoolLease, runtime: RuntimeDir) -> None:
    path = runtime.port_lock(first(web))
    os.unlink(path)
    assert told(shield) == (Loss(first(web), LockGone("deleted", str(path))),)


def _replace(runtime: RuntimeDir, port: int) -> None:
    Path(runtime.path, "new").touch()
    os.replace(Path(runtime.path, "new"), runtime.port_lock(port))


def _move_away(runtime: RuntimeDir, port: int) -> None:
    os.rename(runtime.port_lock(port), Path(runtime.path, "old"))


def _take_over_by_writing(runtime: RuntimeDir, port: int) -> None:
    parent = system.identity_of(os.getppid())
    assert parent is not None
    Record(port, "evil", 1, "web", "run-2", parent, 0.0).write(runtime.port_record(port))


def _take_over_by_renaming(runtime: RuntimeDir, port: int) -> None:
    parent = system.identity_of(os.getppid())
    assert parent is not None
    Record(port, "evil", 1, "web", "run-2", parent, 0.0).write(runtime.path + "/new")
    os.replace(runtime.path + "/new", runtime.port_record(port))


def _remove_ports(runtime: RuntimeDir, port: int) -> None:
    shutil.rmtree(runtime.ports)


def _remove_all(runtime: RuntimeDir, port: int) -> None:
    shutil.rmtree(runtime.path)


def _rename_ports(runtime: RuntimeDir, port: int) -> None:
    os.rename(runtime.ports, runtime.path + "/elsewhere")


def _rename_all(runtime: RuntimeDir, port: int) -> None:
    os.rename(runtime.path, runtime.path + "-elsewhere")


def _replace_all(runtime: RuntimeDir, port: int) -> None:
    os.rename(runtime.path, runtime.path + "-elsewhere")
    shutil.copytree(runtime.path + "-elsewhere", runtime.path)


@pytest.mark.parametrize(
    "harm",
    [
        _replace,
        _move_away,
        _take_over_by_writing,
        _take_over_by_renaming,
        _remove_ports,
        _remove_all,
        _rename_ports,
        _rename_all,
        _replace_all,
    ],
)
def test_every_other_harm_is_told_too(
    shield: Shield, web: PoolLease, runtime: RuntimeDir, harm: Callable[[RuntimeDir, int], None]
) -> None:
    assert shield.check() == ()
    harm(runtime, first(web))
    assert first(web) in [loss.port for loss in told(shield)]
    assert first(web) in [loss.port for loss in shield.check()]


@pytest.mark.parametrize("harm", [_take_over_by_writing, _take_over_by_renaming])
def test_a_record_that_was_looked_at_before_is_looked_at_again_when_it_changes(
    shield: Shield, web: PoolLease, runtime: RuntimeDir, harm: Callable[[RuntimeDir, int], None]
) -> None:
    for port in web.pool:
        os.utime(runtime.port_record(port), (1, 1))  # long enough ago to be remembered
    assert shield.check() == shield.check() == ()
    harm(runtime, first(web))
    (loss,) = shield.check()
    assert (loss.port, loss.why.how) == (first(web), "taken-over")


def test_what_no_file_event_tells_is_found_by_the_check(shield: Shield, web: PoolLease, own_folders: Path) -> None:
    import fcntl

    fcntl.flock(web._ports[first(web)].lock._file._descriptor, fcntl.LOCK_UN)
    with open(web._ports[first(web)].lock._file.path) as others:
        fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert is_silent(shield)
        (loss,) = shield.check()
    assert loss.why.how == "unlocked"


def test_a_rename_of_a_folder_above_is_found_by_the_check(lease: MakeLease, own_folders: Path) -> None:
    runtime = RuntimeDir.open(str(own_folders / "a" / "r"))
    leased = PoolLease(owner(), free_pool(1), runtime)
    leased.choose({}, now=0.0)
    shield = Shield(runtime, [leased])
    os.rename(own_folders / "a", own_folders / "b")
    assert len(shield.check()) == 1
    shield.close()
    leased.release()


def test_heartbeats_checks_and_readers_wake_nobody(shield: Shield, web: PoolLease, runtime: RuntimeDir) -> None:
    shield.on_readable()
    shield.heartbeat()
    assert shield.check() == ()
    running(runtime)
    Record.read(runtime.port_record(first(web)))
    Shield(runtime, [web]).close()
    assert is_silent(shield)


def test_the_coming_and_going_of_others_is_no_loss(shield: Shield, lease: MakeLease) -> None:
    other = lease(free_pool(2), service="api", instance=2)
    other.choose({}, now=0.0)
    other.release()
    assert told(shield, within=0.1) == ()


def test_a_lost_instance_number_is_told_as_port_zero(runtime: RuntimeDir, web: PoolLease) -> None:
    lock = InstanceLock.take("shop", {"web": (20000,)}, 10, None, runtime, RunInfo("r", "/", "/s"))
    shield = Shield(runtime, [web], lock)
    shield.heartbeat()
    assert shield.check() == ()
    os.unlink(lock.path)
    assert told(shield) == (Loss(0, LockGone("deleted", lock.path)),)
    shield.close()
    lock.release()


def test_a_forgotten_lease_is_no_loss(shield: Shield, web: PoolLease, runtime: RuntimeDir) -> None:
    shield.forget(web)
    os.unlink(runtime.port_lock(first(web)))
    assert told(shield, within=0.1) == ()
    shield.watch(web)
    assert len(shield.check()) == 1


def test_each_loss_is_told_by_the_kernel_at_once(shield: Shield, web: PoolLease, runtime: RuntimeDir) -> None:
    for path in [runtime.port_lock(status.port) for status in web.ports(0.0)]:
        os.unlink(path)
        assert wakes(shield, 0.0)  # the event is there when unlink returns, nobody has to look later
        assert shield.on_readable()


def test_without_file_events_the_check_still_works(
    runtime: RuntimeDir, web: PoolLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.system.open_watch", lambda: None)
    shield = Shield(runtime, [web])
    assert shield.fileno() is None
    assert shield.on_readable() == ()
    os.unlink(runtime.port_lock(first(web)))
    assert [loss.port for loss in shield.check()] == [first(web)]


def test_one_that_has_stopped_watching_hears_nothing_and_can_still_check(
    shield: Shield, web: PoolLease, runtime: RuntimeDir
) -> None:
    shield.stop()
    shield.on_readable()  # that the watches themselves are gone
    os.unlink(runtime.port_lock(first(web)))
    assert shield.fileno() is None or told(shield, within=0.1) == ()
    assert [loss.port for loss in shield.check()] == [first(web)]
