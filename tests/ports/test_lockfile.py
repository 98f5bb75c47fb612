"""A lock that ends with its process, and that knows when it is worth nothing any more."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import portalocker
import pytest

from supervisor import system
from supervisor.core.reasons import LockGone
from supervisor.errors import LockLost, PortsupError
from supervisor.ports.instances import is_held
from supervisor.ports.lockfile import FileLock
from supervisor.ports.port_lock import PortLock, PortTaken, own_identity
from supervisor.ports.record import Record
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Identity
from tests.ports.conftest import owner
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live


@pytest.fixture
def lock(own_folders: Path) -> FileLock:
    new = FileLock(str(own_folders / "x.lock"))
    assert new.acquire()
    return new


def test_a_held_lock_is_refused_to_everybody_else(lock: FileLock) -> None:
    assert not FileLock(lock.path).acquire()
    assert is_held(lock.path)
    lock.release()
    assert not is_held(lock.path)
    assert FileLock(lock.path).acquire()


def test_the_file_stays_is_ours_alone_and_is_not_inherited(lock: FileLock) -> None:
    assert stat.S_IMODE(os.stat(lock.path).st_mode) == 0o600
    assert not os.get_inheritable(lock._descriptor)
    lock.release()
    assert os.path.exists(lock.path)


def test_a_held_lock_has_no_loss(lock: FileLock) -> None:
    assert lock.loss() is None
    lock.touch()
    assert lock.loss() is None


def test_a_deleted_file_is_a_loss(lock: FileLock) -> None:
    os.unlink(lock.path)
    assert lock.loss() == LockGone("deleted", lock.path)


def test_a_replaced_file_is_a_loss(lock: FileLock) -> None:
    os.rename(lock.path, lock.path + ".old")
    Path(lock.path).touch()
    assert lock.loss() == LockGone("replaced", lock.path)


def test_a_removed_directory_is_a_loss(own_folders: Path) -> None:
    (own_folders / "d").mkdir()
    lock = FileLock(str(own_folders / "d" / "x.lock"))
    assert lock.acquire()
    shutil.rmtree(own_folders / "d")
    assert lock.loss() == LockGone("no-directory", str(own_folders / "d"))


def test_a_replaced_directory_is_a_loss(own_folders: Path) -> None:
    (own_folders / "d").mkdir()
    lock = FileLock(str(own_folders / "d" / "x.lock"))
    assert lock.acquire()
    os.rename(own_folders / "d", own_folders / "e")
    (own_folders / "d").mkdir()
    assert lock.loss() == LockGone("deleted", lock.path)


def test_a_disk_that_cannot_be_read_just_now_is_no_loss(lock: FileLock, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: object) -> None:
        raise OSError(errno.EIO, "input/output error", path)

    monkeypatch.setattr(os, "lstat", refuse)
    monkeypatch.setattr(os, "open", refuse)
    assert lock.loss() is None


def test_want_of_descriptors_hides_no_loss_and_is_none(lock: FileLock, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files", path)

    monkeypatch.setattr(os, "open", refuse)
    assert lock.loss() is None
    os.unlink(lock.path)
    assert lock.loss() == LockGone("deleted", lock.path)


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_whatever_else_is_in_its_place_is_a_loss(lock: FileLock, own_folders: Path, kind: str) -> None:
    os.rename(lock.path, own_folders / "away")
    if kind == "link":
        os.symlink(own_folders / "away", lock.path)
    elif kind == "pipe":
        os.mkfifo(lock.path)
    else:
        os.mkdir(lock.path)
    before = len(os.listdir("/proc/self/fd"))
    assert lock.loss() == LockGone("replaced", lock.path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_lock_that_others_have_taken_is_a_loss(lock: FileLock) -> None:
    import fcntl

    fcntl.flock(lock._descriptor, fcntl.LOCK_UN)
    other = FileLock(lock.path)
    assert other.acquire()
    assert lock.loss() == LockGone("unlocked", lock.path)
    other.release()


def test_a_lock_that_nobody_has_taken_is_taken_again(lock: FileLock) -> None:
    import fcntl

    fcntl.flock(lock._descriptor, fcntl.LOCK_UN)
    assert lock.loss() is None
    assert not FileLock(lock.path).acquire()


def test_a_look_opens_nothing(lock: FileLock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    assert lock.loss() is None


def test_a_lock_given_back_says_so(lock: FileLock) -> None:
    lock.release()
    lock.release()
    assert lock.loss() == LockGone("given-back")


def test_a_symbolic_link_is_not_followed(own_folders: Path) -> None:
    (own_folders / "x.lock").symlink_to(own_folders / "target")
    with pytest.raises(OSError, match="symbolic"):
        FileLock(str(own_folders / "x.lock")).acquire()
    assert not (own_folders / "target").exists()


def test_a_pipe_in_its_place_does_not_hang(own_folders: Path) -> None:
    os.mkfifo(own_folders / "x.lock")
    with pytest.raises(OSError, match="it is a FIFO, not a file"):
        FileLock(str(own_folders / "x.lock")).acquire()


def test_a_forked_child_has_no_lock_and_can_not_free_ours(lock: FileLock) -> None:
    pid = os.fork()
    if pid == 0:
        held = lock.is_held
        lock.release()
        os._exit(int(held))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert lock.is_held
    assert lock.loss() is None


def test_a_killed_process_leaves_a_free_lock(own_folders: Path) -> None:
    code = (
        "import sys\nfrom supervisor.ports.lockfile import FileLock\nlock = FileLock(sys.argv[1])\n"
        "print(lock.acquire(), flush=True)\nsys.stdin.read()"
    )
    path = str(own_folders / "x.lock")
    command = [sys.executable, "-c", code, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        assert is_held(path)
        process.send_signal(signal.SIGKILL)
    assert eventually(lambda: FileLock(path).acquire(), within=2)


def test_looking_whether_a_lock_is_held_never_makes_a_taker_fail(own_folders: Path) -> None:
    path = str(own_folders / "x.lock")
    Path(path).touch()
    code = (
        "import sys\nfrom supervisor.ports.instances import is_held\nprint('go', flush=True)\n"
        "while True: is_held(sys.argv[1])"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as looker:
        assert looker.stdout is not None
        assert looker.stdout.readline() == b"go\n"
        try:
            for _ in range(200):
                lock = FileLock(path)
                assert lock.acquire(is_holder_known=lambda: False)
                lock.release()
        finally:
            looker.kill()


def test_a_port_lock_names_who_has_the_port() -> None:
    port = free_port()
    with PortLock(port, "sandra") as lock:
        lock.check()
        with pytest.raises(PortTaken) as caught:
            PortLock(port, "other").acquire()
        assert str(caught.value) == f"cannot lock port {port}: leased to `sandra` (pid {os.getpid()})"
    PortLock(port).acquire()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_that_cannot_lock_is_named_with_what_to_do(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> bool:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(system, "try_lock", refuse)
    lock = PortLock(free_port(), "sandra")
    with pytest.raises(PortsupError) as caught:
        lock.acquire()
    assert caught.value.why.endswith(f".lock`: the file system cannot lock: {os.strerror(number).lower()}")
    assert caught.value.hint == "name another one in PORTSUP_RUNTIME_DIR, on a file system that can lock"
    assert not lock.is_held


def test_a_port_lock_whose_record_names_another_living_owner_is_lost(runtime: RuntimeDir) -> None:
    port = free_port()
    parent = system.identity_of(os.getppid())
    assert parent is not None
    with PortLock(port, "sandra", runtime) as lock:
        Record(port, "shop", 2, "web", "run-2", parent, 0.0).write(runtime.port_record(port))
        with pytest.raises(LockLost, match="taken over by `web` of stack `shop` instance 2"):
            lock.check()
        dead = Identity(parent.pid, 1.0, parent.boot)
        Record(port, "shop", 2, "web", "run-2", dead, 0.0).write(runtime.port_record(port))
        lock.check()


def test_a_heartbeat_freshens_the_files_and_puts_a_missing_record_back(runtime: RuntimeDir) -> None:
    port = free_port()
    with PortLock(port, runtime=runtime, owner=owner()) as lock:
        for path in (runtime.port_lock(port), runtime.port_record(port)):
            os.utime(path, (0, 0))
        lock.heartbeat()
        assert min(os.stat(path).st_mtime for path in (runtime.port_lock(port), runtime.port_record(port))) > 0
        os.unlink(runtime.port_record(port))
        lock.check()
        lock.heartbeat()
        assert lock.record() is not None
    assert lock.record() is None


def test_who_we_are_is_known_where_the_system_does_not_tell_when_we_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.system.identity_of", lambda pid: None)
    assert own_identity() == Identity(os.getpid(), 0)


def test_portalocker_finds_it_locked(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    lock = FileLock(str(path))
    assert lock.acquire()
    with pytest.raises(portalocker.AlreadyLocked):
        portalocker.Lock(path, fail_when_locked=True).acquire()
    lock.release()
    portalocker.Lock(path, fail_when_locked=True).acquire().close()
