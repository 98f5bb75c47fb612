"""Instance numbers are taken by locks, however many start in the same instant."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor import system
from supervisor.core.reasons import LockGone
from supervisor.errors import InstanceTaken, PortsupError
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.instances import InstanceInfo, RunInfo, running
from supervisor.ports.record import write_json
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Identity
from tests.core.test_instance import SHIPPED
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

INFO = RunInfo("run-1", "/project", "/project/services.yaml")


@pytest.fixture
def locks() -> Iterator[list[InstanceLock]]:
    taken: list[InstanceLock] = []
    yield taken
    for lock in taken:
        lock.release()


def take(
    locks: list[InstanceLock], runtime: RuntimeDir, wanted: int | None = None, stack: str = "shop"
) -> InstanceLock:
    locks.append(InstanceLock.take(stack, SHIPPED, 100, wanted, runtime, INFO))
    return locks[-1]


def test_the_lowest_free_number_is_taken(locks: list[InstanceLock], runtime: RuntimeDir) -> None:
    assert [take(locks, runtime).number for _ in range(3)] == [1, 2, 3]
    locks[1].release()
    assert take(locks, runtime).number == 2
    assert take(locks, runtime, stack="other").number == 1


def test_a_number_that_runs_is_refused_with_where_it_runs(locks: list[InstanceLock], runtime: RuntimeDir) -> None:
    take(locks, runtime, wanted=2)
    with pytest.raises(InstanceTaken) as caught:
        take(locks, runtime, wanted=2)
    assert str(caught.value) == (
        f"cannot run instance 2 of stack `shop`: it runs already, from `/project` (pid {os.getpid()})"
    )


def test_ten_instances_of_the_shipped_stack_run_and_the_eleventh_is_told_why_not(
    locks: list[InstanceLock], runtime: RuntimeDir
) -> None:
    assert [take(locks, runtime).number for _ in range(10)] == list(range(1, 11))
    with pytest.raises(InstanceTaken) as caught:
        take(locks, runtime)
    assert str(caught.value) == (
        "cannot run instance 11 of stack `shop`: pool 7000-7002 of `mcp-universal` in instance 11 takes ports of "
        "`conversational` (7000-7003) in instance 1: ten instances fit"
    )
    with pytest.raises(InstanceTaken, match="ten instances fit"):
        take(locks, runtime, wanted=11)


def test_instances_are_counted_from_one(locks: list[InstanceLock], runtime: RuntimeDir) -> None:
    with pytest.raises(InstanceTaken, match="counted from 1"):
        take(locks, runtime, wanted=0)


def test_what_runs_is_listed_with_all_that_is_known(locks: list[InstanceLock], runtime: RuntimeDir) -> None:
    take(locks, runtime)
    second = take(locks, runtime)
    assert [info.instance for info in running(runtime)] == [1, 2]
    info = running(runtime)[1]
    assert info == second.info
    assert (info.stack, info.pid, info.run_id) == ("shop", os.getpid(), "run-1")
    assert (info.directory, info.file) == ("/project", "/project/services.yaml")
    assert info.socket == f"{runtime.path}/shop-2.sock"
    assert second.others == (locks[0].info,)
    locks[0].release()
    assert [info.instance for info in running(runtime)] == [2]


def test_a_record_without_a_lock_does_not_run(runtime: RuntimeDir) -> None:
    me = system.identity_of(os.getpid())
    assert me is not None
    record = InstanceInfo("shop", 1, me, "run", "/p", "/p/s.yaml", "/r/s.sock", 0.0)
    write_json(runtime.instance_record("shop", 1), record.as_json())
    Path(runtime.instance_lock("shop", 1)).touch()
    assert running(runtime) == []


def test_nothing_runs_where_there_is_no_runtime_directory() -> None:
    assert running(RuntimeDir.find()) == []


def test_the_run_of_a_dead_owner_is_told(locks: list[InstanceLock], runtime: RuntimeDir) -> None:
    dead = InstanceInfo("shop", 1, Identity(os.getpid(), 1.0, "boot"), "dead-run", "/p", "/p/s", "/r/s.sock", 0.0)
    write_json(runtime.instance_record("shop", 1), dead.as_json())
    assert take(locks, runtime).stale_run_id == "dead-run"
    assert take(locks, runtime).stale_run_id == ""


def test_a_record_that_could_not_be_brought_up_to_date_goes_all_the_same(
    locks: list[InstanceLock], runtime: RuntimeDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = take(locks, runtime)

    def refuses(path: str, fields: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr("supervisor.ports.instance_lock.write_json_over", refuses)
    lock.announce_end()
    lock.release()
    assert not os.path.exists(lock.record)


def test_a_lost_number_says_why(locks: list[InstanceLock], runtime: RuntimeDir) -> None:
    lock = take(locks, runtime)
    assert lock.loss() is None
    lock.heartbeat()
    os.unlink(lock.record)
    lock.heartbeat()
    assert running(runtime) == [lock.info]
    os.unlink(lock.path)
    assert lock.loss() == LockGone("deleted", lock.path)


def test_a_number_whose_record_was_looked_at_before_is_lost_to_who_writes_there(
    locks: list[InstanceLock], runtime: RuntimeDir
) -> None:
    lock = take(locks, runtime)
    os.utime(lock.record, (1, 1))  # long enough ago to be remembered
    assert lock.loss() is None
    assert lock.loss() is None
    parent = system.identity_of(os.getppid())
    assert parent is not None
    write_json(lock.record, {**lock.info.as_json(), "owner": parent.as_json()})
    assert lock.loss() == LockGone("taken-over", lock.record, f"pid {os.getppid()}")


def test_a_number_in_a_directory_too_long_for_its_socket_is_refused(own_folders: Path) -> None:
    runtime = RuntimeDir.open(str(own_folders / ("long" * 25)))
    with pytest.raises(PortsupError, match="a unix socket can have"):
        InstanceLock.take("shop", SHIPPED, 100, None, runtime, INFO)
    assert os.listdir(runtime.instances) == []


_TAKER = """
import os, sys, time
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.instances import RunInfo
from supervisor.ports.runtime import RuntimeDir
runtime = RuntimeDir.open()
print("ready", flush=True)
for line in sys.stdin:
    stack, at = line.split()
    while time.monotonic() < float(at):
        pass
    lock = InstanceLock.take(stack, {"web": (20000, 20001)}, 10, None, runtime, RunInfo("r", "/", "/s"))
    print(lock.number, flush=True)
    if sys.stdin.readline() == "":
        break
    lock.release()
"""


@pytest.mark.long
def test_those_that_start_in_the_same_instant_get_different_numbers_a_hundred_times() -> None:
    takers = [
        subprocess.Popen([sys.executable, "-c", _TAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        for taker in takers:
            assert taker.stdout is not None
            assert taker.stdout.readline() == "ready\n"
        for number in range(100):
            at = time.monotonic() + 0.005
            _tell(takers, f"stack-{number} {at}\n")
            assert sorted(_answers(takers)) == [1, 2, 3, 4]
            _tell(takers, "release\n")
    finally:
        for taker in takers:
            taker.kill()
            taker.communicate()


def _tell(takers: list["subprocess.Popen[str]"], line: str) -> None:
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write(line)
        taker.stdin.flush()


def _answers(takers: list["subprocess.Popen[str]"]) -> list[int]:
    return [int(taker.stdout.readline()) for taker in takers if taker.stdout is not None]


def test_a_killed_instance_frees_its_number(runtime: RuntimeDir) -> None:
    taker = subprocess.Popen([sys.executable, "-c", _TAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert taker.stdout is not None
    assert taker.stdout.readline() == "ready\n"
    _tell([taker], "shop 0\n")
    assert _answers([taker]) == [1]
    assert Counter(info.pid for info in running(runtime)) == {taker.pid: 1}
    taker.send_signal(signal.SIGKILL)
    taker.communicate()
    eventually(lambda: running(runtime) == [], within=2)
    lock = InstanceLock.take("shop", SHIPPED, 100, 1, runtime, INFO)
    assert lock.stale_run_id == "r"
    lock.release()


def test_one_that_runs_and_cannot_be_looked_at_is_not_left_out(
    locks: list[InstanceLock], runtime: RuntimeDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment on Windows, while its record is replaced; for want of descriptors or memory everywhere."""
    lock = take(locks, runtime)

    def refuse(path: str, limit: int) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)

    with monkeypatch.context() as patch:
        patch.setattr("supervisor.ports.record.read", refuse)
        with pytest.raises(PortsupError) as caught:
            running(runtime)
    assert str(caught.value) == f"cannot see which instances run: `{lock.record}`: too many open files"
    os.unlink(lock.record)  # as of one that ends in this moment
    assert running(runtime) == []
