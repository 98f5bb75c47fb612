"""The runtime directory is ours alone, or it is not used."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.errors import PortsupError
from supervisor.ports.runtime import RuntimeDir, default_path

Take = Callable[..., RuntimeDir]

pytestmark = pytest.mark.live


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_it_is_made_for_its_user_alone_whatever_the_umask(own_folders: Path) -> None:
    old = os.umask(0o777)
    try:
        runtime = RuntimeDir.open()
    finally:
        os.umask(old)
    assert runtime.path == str(own_folders / "r")
    assert {mode(path) for path in (runtime.path, runtime.ports, runtime.instances)} == {0o700}


def test_parents_are_made_too(own_folders: Path) -> None:
    assert os.path.isdir(RuntimeDir.open(str(own_folders / "a" / "b" / "c")).ports)


def test_looking_makes_nothing(own_folders: Path) -> None:
    assert RuntimeDir.find().path == str(own_folders / "r")
    assert not (own_folders / "r").exists()


def test_several_share_it() -> None:
    first, second = RuntimeDir.open(), RuntimeDir.open()
    first.close()
    second.touch_all()
    second.close()
    second.close()


def test_a_tmp_cleaner_that_locks_directories_finds_it_locked(own_folders: Path) -> None:
    import fcntl

    runtime = RuntimeDir.open()
    cleaner = os.open(runtime.path, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(cleaner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    runtime.close()
    fcntl.flock(cleaner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(cleaner)


@pytest.mark.parametrize("take", [RuntimeDir.open, RuntimeDir.find])
class TestRefused:
    def test_a_symbolic_link(self, own_folders: Path, take: Take) -> None:
        (own_folders / "elsewhere").mkdir(mode=0o700)
        (own_folders / "r").symlink_to(own_folders / "elsewhere")
        with pytest.raises(PortsupError, match="it is a symbolic link"):
            take()
        assert os.listdir(own_folders / "elsewhere") == []

    def test_a_file(self, own_folders: Path, take: Take) -> None:
        (own_folders / "r").touch()
        with pytest.raises(PortsupError, match="it is a file, not a directory"):
            take()

    def test_one_that_others_may_enter(self, own_folders: Path, take: Take) -> None:
        (own_folders / "r").mkdir()
        (own_folders / "r").chmod(0o755)
        with pytest.raises(PortsupError, match=r"others may enter it \(mode 0755\)") as caught:
            take()
        assert caught.value.hint.startswith("`chmod 700 ")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
    def test_one_of_another_user(self, own_folders: Path, take: Take) -> None:
        (own_folders / "r").mkdir(mode=0o700)
        os.chown(own_folders / "r", 12345, 12345)
        with pytest.raises(PortsupError, match="it belongs to uid 12345, not to you"):
            take()

    def test_one_beneath_a_file(self, own_folders: Path, take: Take) -> None:
        (own_folders / "f").touch()
        with pytest.raises(PortsupError, match="part of the path is not a directory"):
            take(str(own_folders / "f" / "r"))


def test_a_subdirectory_that_others_may_enter_is_refused(own_folders: Path) -> None:
    RuntimeDir.open().close()
    (own_folders / "r" / "ports").chmod(0o777)
    with pytest.raises(PortsupError, match="ports`: others may enter it"):
        RuntimeDir.open()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system that takes no directories")
def test_a_read_only_file_system_is_named() -> None:
    with pytest.raises(PortsupError) as caught:
        RuntimeDir.open("/proc/portsup")
    assert caught.value.what == "cannot use the runtime directory `/proc/portsup`"
    assert caught.value.hint == "name another one in PORTSUP_RUNTIME_DIR"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_a_directory_we_may_not_write_to_is_named(own_folders: Path) -> None:
    own_folders.chmod(0o755)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setuid(12345)
        try:
            RuntimeDir.open()
        except PortsupError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with open(reading) as said:
        assert said.read() == f"cannot use the runtime directory `{own_folders / 'r'}`: permission denied"


def test_a_path_too_long_for_a_socket_is_said_before_anything_is_bound(own_folders: Path) -> None:
    runtime = RuntimeDir.open(str(own_folders / ("long" * 25)))
    with pytest.raises(PortsupError, match="a unix socket can have 107") as caught:
        runtime.socket("shop", 1)
    assert caught.value.hint == "set PORTSUP_RUNTIME_DIR to a shorter path"


def test_it_is_in_run_for_root_and_in_tmp_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTSUP_RUNTIME_DIR")
    monkeypatch.setattr("supervisor.system.posix.current_user_id", lambda: 0)
    assert default_path() == "/run/portsup"
    monkeypatch.setattr("supervisor.system.posix.current_user_id", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert default_path() == "/tmp/portsup-1000"
