"""The leases of a service: all ports of its pool, whoever wants them."""

import errno
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor import system
from supervisor.core.port_state import PortState
from supervisor.core.reasons import LockGone, NotTried
from supervisor.errors import PortsupError
from supervisor.ports.holders import ConflictKind
from supervisor.ports.leases import ChosenPort, Loss, NoPort, PortStatus
from supervisor.ports.outcomes import why_of
from supervisor.ports.record import Record
from supervisor.ports.reservation import Reservation
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Identity
from supervisor.words.reasons import text_of
from tests.ports.conftest import MakeLease, Stranger
from tests.support.opened import opened
from tests.support.ports import free_pool
from tests.support.thief import thief, ways_in

pytestmark = pytest.mark.live


def states(statuses: tuple[PortStatus, ...]) -> list[str]:
    return [status.state.value for status in statuses]


def test_all_ports_are_leased_and_the_first_is_active(lease: MakeLease) -> None:
    pool = free_pool(3)
    web = lease(pool)
    assert web.choose({}, now=0.0) == ChosenPort(pool[0])
    assert states(web.ports(0.0)) == ["active", "spare", "spare"]
    assert [ways_in(port) for port in pool] == [[], [], []]
    web.release()
    assert all(ways_in(port) for port in pool)


def test_the_record_tells_whose_the_port_is_and_ends_with_the_lease(lease: MakeLease, runtime: RuntimeDir) -> None:
    (port,) = free_pool(1)
    web = lease([port], service="web", instance=2)
    begun = time.time()
    web.choose({}, now=0.0)
    record = Record.read(runtime.port_record(port))
    assert record is not None
    assert (record.service, record.instance, record.owner.pid) == ("web", 2, os.getpid())
    assert begun <= record.since <= time.time()
    web.release()
    assert Record.read(runtime.port_record(port)) is None
    assert sorted(os.listdir(runtime.ports)) == [f"{port}.json", f"{port}.lock"]


def test_records_of_spares_can_be_written_later(lease: MakeLease, runtime: RuntimeDir) -> None:
    pool = free_pool(3)

    def told() -> list[int]:
        return [port for port in pool if Record.read(runtime.port_record(port)) is not None]

    web = lease(pool, records_later=True)
    with socket.create_server(("127.0.0.1", pool[2])):
        web.choose({}, now=0.0)
        assert told() == [pool[0]]
        web.quarantine(pool[0], "it failed", until=10.0)
        web.choose({}, now=1.0)
        assert told() == [pool[0], pool[1]]
    assert web.retry_spares() == (pool[2],)
    assert told() == list(pool)
    web.release()
    assert told() == []
    web.choose({}, now=20.0)
    assert told() == [pool[0]]
    web.record()
    assert told() == list(pool)


def test_a_stranger_on_the_first_port_is_named_and_the_next_one_taken(lease: MakeLease, stranger: Stranger) -> None:
    pool = free_pool(3)
    process = stranger(pool[0])
    web = lease(pool)
    chosen = web.choose({}, now=0.0)
    assert isinstance(chosen, ChosenPort)
    assert chosen.port == pool[1]
    ((port, holder),) = chosen.skipped
    name = system.process_name(process.pid)
    user = system.process_user(process.pid)
    assert (port, str(holder)) == (pool[0], f"held by `{name}` (pid {process.pid}, user {user})")
    assert web.ports(0.0)[0] == PortStatus(pool[0], PortState.TAKEN, why_of(holder))


def test_every_port_taken_is_no_port_with_every_reason(lease: MakeLease, stranger: Stranger) -> None:
    pool = free_pool(2)
    pids = [stranger(port).pid for port in pool]
    result = lease(pool).choose({}, now=0.0)
    assert isinstance(result, NoPort)
    assert [holder.kind for holder in result.holders] == [ConflictKind.FOREIGN] * 2
    assert [holder.pid for holder in result.holders] == pids
    assert [port for port, _ in result.reasons] == list(pool)
    assert all(f"(pid {pid}, " in text_of(why) for pid, (_, why) in zip(pids, result.reasons, strict=True))


def test_strict_takes_the_first_port_or_none(lease: MakeLease, stranger: Stranger) -> None:
    pool = free_pool(2)
    assert lease(pool, strict=True, service="a").choose({}, now=0.0) == ChosenPort(pool[0])
    busy = free_pool(2)
    stranger(busy[0])
    result = lease(busy, strict=True, service="b").choose({}, now=0.0)
    assert isinstance(result, NoPort)
    assert result.reasons[1] == (busy[1], NotTried(is_strict=True))


def test_the_active_port_is_handed_over_and_taken_back(lease: MakeLease) -> None:
    pool = free_pool(2)
    web = lease(pool)
    web.choose({}, now=0.0)
    web.hand_over()
    assert ways_in(pool[0])
    assert ways_in(pool[1]) == []
    assert web.losses() == ()
    assert states(web.ports(0.0)) == ["active", "spare"]
    assert web.take_back() is None
    assert ways_in(pool[0]) == []
    assert web.take_back() is None


def test_taking_back_names_who_came_in_between_and_the_next_choice_avoids_it(
    lease: MakeLease, stranger: Stranger
) -> None:
    pool = free_pool(2)
    web = lease(pool)
    web.choose({}, now=0.0)
    web.hand_over()
    process = stranger(pool[0])
    holder = web.take_back()
    assert holder is not None
    assert (holder.kind, holder.pid) == (ConflictKind.FOREIGN, process.pid)
    chosen = web.choose({}, now=0.0)
    assert isinstance(chosen, ChosenPort)
    assert chosen.port == pool[1]
    process.kill()
    process.wait()
    assert web.retry_spares() == (pool[0],)
    assert states(web.ports(0.0)) == ["spare", "active"]
    assert ways_in(pool[0]) == []


def test_a_system_short_of_descriptors_keeps_the_lock_and_is_asked_again(
    lease: MakeLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = free_pool(3)
    web = lease(pool[:1])
    web.choose({}, now=0.0)
    web.hand_over()

    def none_left(port: int) -> Reservation:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as short:
        short.setattr("supervisor.ports.leases.reserve", none_left)
        assert web.take_back() is None
        web.reshape(pool)
        assert states(web.ports(0.0)) == ["active", "taken", "taken"]
    assert web.choose({}, now=1.0) == ChosenPort(pool[0])
    assert [ways_in(port) for port in pool] == [[], [], []]


def test_a_quarantined_port_stays_leased_and_is_skipped_until_its_time(lease: MakeLease) -> None:
    pool = free_pool(2)
    web = lease(pool)
    web.choose({}, now=0.0)
    web.quarantine(pool[0], "not ready 3 times", until=60.0)
    assert web.active is None
    assert web.choose({}, now=1.0) == ChosenPort(pool[1], ((pool[0], "not ready 3 times"),))
    assert web.ports(1.0)[0] == PortStatus(pool[0], PortState.QUARANTINED, "not ready 3 times")
    assert ways_in(pool[0]) == []
    assert web.choose({}, now=60.0) == ChosenPort(pool[0])


def test_who_leaves_a_port_gets_the_next(lease: MakeLease) -> None:
    pool = free_pool(3)
    web = lease(pool)
    web.choose({}, now=0.0)
    assert web.choose({}, now=0.0, leaving=pool[0]) == ChosenPort(pool[1])


def test_a_loss_names_port_and_reason(lease: MakeLease, runtime: RuntimeDir) -> None:
    pool = free_pool(2)
    web = lease(pool)
    web.choose({}, now=0.0)
    web.hand_over()
    os.unlink(runtime.port_lock(pool[0]))
    assert web.losses() == (Loss(pool[0], LockGone("deleted", runtime.port_lock(pool[0]))),)
    assert web.losses_of(pool[1]) == ()
    shutil.rmtree(runtime.path)
    assert [loss.port for loss in web.losses()] == list(pool)


def test_the_run_of_a_dead_owner_is_told_once_and_its_record_replaced(lease: MakeLease, runtime: RuntimeDir) -> None:
    pool = free_pool(2)
    dead = Identity(os.getpid(), 1.0, "another boot")
    for port in pool:
        Record(port, "shop", 1, "web", "dead-run", dead, 0.0).write(runtime.port_record(port))
    web = lease(pool)
    assert web.choose({}, now=0.0) == ChosenPort(pool[0])
    assert web.orphans() == ("dead-run",)
    assert web.orphans() == ()


def test_a_thief_gets_no_spare_of_a_service_that_runs(lease: MakeLease) -> None:
    pool = free_pool(4)
    web = lease(pool)
    web.choose({}, now=0.0)
    web.hand_over()
    with socket.socket() as service, thief(pool[1:]) as loot:
        service.bind(("127.0.0.1", pool[0]))
        service.listen()
        for _ in range(20):
            web.choose({}, now=0.0, leaving=pool[0])  # leaves and comes back: the spares are held all the time
            time.sleep(0.02)
    assert loot.tries > 500
    assert loot.won == {}


@contextmanager
def at_most_open_files(number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_open_files_is_an_error_with_a_hint_and_leaves_nothing_open(lease: MakeLease) -> None:
    web = lease(free_pool(30))
    before = len(os.listdir("/proc/self/fd"))
    with at_most_open_files(before + 20), pytest.raises(PortsupError, match="too many open files") as caught:
        web.choose({}, now=0.0)
    assert "ulimit -n" in caught.value.hint
    web.release()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a disk of its own")
def test_a_full_disk_is_an_error_in_words(own_folders: Path) -> None:
    code = """
import os, subprocess, sys
from supervisor import system
from supervisor.ports.leases import PoolLease
from supervisor.ports.record import Owner
from supervisor.ports.runtime import RuntimeDir
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700,nr_inodes=6", "none", sys.argv[1]], check=True)
runtime = RuntimeDir.open(sys.argv[1])
owner = Owner("s", 1, "web", "r", system.identity_of(os.getpid()))
lease = PoolLease(owner, [int(sys.argv[2]) + n for n in range(6)], runtime)
try:
    lease.choose({}, 0.0)
except Exception as error:
    print(type(error).__name__, error)
"""
    (own_folders / "r").mkdir(mode=0o700)
    (port, *_) = free_pool(6)
    command = ["unshare", "-m", sys.executable, "-c", code, str(own_folders / "r"), str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.splitlines()[-1]}")
    assert done.stdout.startswith("PortsupError cannot lease port "), done.stderr
    assert done.stdout.endswith("its disk is full\n")


def test_two_hundred_services_with_three_ports_lease_with_few_files_each(lease: MakeLease) -> None:
    with at_most_open_files(min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])):
        leases = [lease(free_pool(3), service=f"s{number}") for number in range(200)]
        for each in leases:  # the first time makes the files
            each.choose({}, now=0.0)
            each.release()
        with opened() as files:
            for each in leases:
                assert isinstance(each.choose({}, now=0.0), ChosenPort)
        for each in leases:
            each.release()
    assert len(files) <= 3 * 600, "of each port the lock, and the record to read and to write"
