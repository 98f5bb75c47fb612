"""What a look at all locks costs and finds once the kernel tells of the files."""

import fcntl
import os
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.ports.leases import Loss, PoolLease
from supervisor.ports.port_lock import own_identity
from supervisor.ports.record import Record
from supervisor.ports.runtime import RuntimeDir
from supervisor.ports.shield import Shield
from tests.ports.conftest import MakeLease
from tests.support.ports import free_pool

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.HAS_WATCHES, reason="no file events here")]

POOL_SIZE = 3


@pytest.fixture
def web(lease: MakeLease) -> PoolLease:
    leased = lease(free_pool(POOL_SIZE))
    leased.choose({}, now=0.0)
    return leased


def first(leased: PoolLease) -> int:
    return leased.pool[0]


TMPFS, NFS = 0x01021994, 0x6969  # statfs(2)


@pytest.fixture
def looked_at(web: PoolLease, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the lease that are looked at from now on."""
    paths, lstat = list[str](), os.lstat

    def look(path: str) -> os.stat_result:
        if str(path).endswith((".lock", ".json")):
            paths.append(str(path))
        return lstat(path)

    monkeypatch.setattr(os, "lstat", look)
    return paths


def _looks(shield: Shield) -> tuple[Loss, ...]:
    return tuple(loss for losses in shield.looks() for loss in losses)


@pytest.mark.parametrize(("kind", "is_local"), [(TMPFS, True), (NFS, False)])
def test_files_are_looked_at_once_where_the_kernel_tells_of_all_that_happens_to_them(
    runtime: RuntimeDir, web: PoolLease, looked_at: list[str], monkeypatch: pytest.MonkeyPatch, kind: int,
    is_local: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("supervisor.system.libc.kind_of_file_system", lambda _: kind)
    shield = Shield(runtime, [web])
    assert _looks(shield) == ()
    first_time = len(looked_at)
    assert first_time >= 2 * POOL_SIZE
    assert _looks(shield) == ()
    assert (len(looked_at) == first_time) is is_local
    shield.close()


@pytest.fixture
def quiet(runtime: RuntimeDir, web: PoolLease, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shield]:
    """A shield whose next look is at no file."""
    monkeypatch.setattr("supervisor.system.libc.kind_of_file_system", lambda _: TMPFS)
    shield = Shield(runtime, [web])
    assert _looks(shield) == ()
    yield shield
    shield.close()


def test_a_look_at_no_file_finds_a_lock_that_somebody_else_has(quiet: Shield, web: PoolLease) -> None:
    file = web._ports[first(web)].lock._file
    fcntl.flock(file._descriptor, fcntl.LOCK_UN)
    with open(file.path) as others:
        fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert [(loss.port, loss.why.how) for loss in _looks(quiet)] == [(first(web), "unlocked")]


def test_a_look_is_at_all_files_once_the_directories_are_others(
    quiet: Shield, web: PoolLease, runtime: RuntimeDir
) -> None:
    os.rename(runtime.path, f"{runtime.path}-away")
    assert len(_looks(quiet)) == POOL_SIZE
    os.rename(f"{runtime.path}-away", runtime.path)
    quiet.on_readable()
    os.unlink(runtime.port_lock(first(web)))  # what would tell of it has ended with the name
    assert [loss.port for loss in _looks(quiet)] == [first(web)]


def test_a_lease_that_is_watched_later_is_looked_at_in_full(
    quiet: Shield, lease: MakeLease, runtime: RuntimeDir
) -> None:
    later = lease(free_pool(2), service="api")
    later.choose({}, now=0.0)
    os.unlink(runtime.port_lock(first(later)))
    assert quiet.on_readable() == ()  # nobody had said that it was ours
    quiet.watch(later)
    assert [loss.port for loss in _looks(quiet)] == [first(later)]


def test_a_record_that_is_gone_is_written_again(web: PoolLease, runtime: RuntimeDir) -> None:
    os.unlink(runtime.port_record(first(web)))
    assert web.losses() == ()
    web.record()
    found = Record.read(runtime.port_record(first(web)))
    assert found is not None
    assert found.owner == own_identity()
