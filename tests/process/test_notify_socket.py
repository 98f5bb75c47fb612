"""The socket on which services say how they are."""

import os
import socket
import stat
from pathlib import Path

import pytest

from supervisor import system
from supervisor.core.sd_notify import LONGEST
from supervisor.process.sd_notify_socket import NotifySocket
from tests.support.eventually import eventually

pytestmark = pytest.mark.live


def speaker(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(f"\0{address[1:]}" if address[0] == "@" else address)
    return sock


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_datagram_comes_with_the_pid_of_who_sent_it(tmp_path: Path, is_abstract: bool) -> None:
    notify = NotifySocket(str(tmp_path / "it"), is_abstract=is_abstract)
    assert notify.receive() is None
    with speaker(notify.address) as sock:
        sock.send(b"READY=1")
        sock.send(b"")
    first, second, third = notify.receive(), notify.receive(), notify.receive()
    assert first is not None
    assert (first.data, first.sender) == (b"READY=1", os.getpid())
    assert second is not None
    assert (second.data, third) == (b"", None)
    notify.close()


def test_a_socket_in_a_folder_goes_with_it_and_takes_the_place_of_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.touch()
    notify = NotifySocket(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert notify.is_in_place()
    path.unlink()
    assert not notify.is_in_place()
    notify.close()
    NotifySocket(str(path)).close()
    assert not path.exists()


def test_a_path_that_is_too_long_is_given_up_for_a_name(tmp_path: Path) -> None:
    notify = NotifySocket(str(tmp_path / ("x" * system.SOCKET_PATH_MAX)))
    assert notify.address.startswith("@portsup-")
    assert notify.is_in_place()
    with speaker(notify.address) as sock:
        sock.send(b"READY=1")
    assert notify.receive() is not None
    notify.close()


def test_descriptors_that_come_along_are_closed(tmp_path: Path) -> None:
    notify = NotifySocket(str(tmp_path / "it"))
    before = os.listdir("/proc/self/fd")
    with speaker(notify.address) as sock:
        for _ in range(3):
            socket.send_fds(sock, [b"FDSTORE=1"], [0] * 253)
            assert notify.receive() is not None
    eventually(lambda: os.listdir("/proc/self/fd") == before, what="that all are closed")
    notify.close()


def test_what_is_too_long_is_cut_behind_what_may_be_read(tmp_path: Path) -> None:
    notify = NotifySocket(str(tmp_path / "it"))
    with speaker(notify.address) as sock:
        sock.send(b"x" * (3 * LONGEST))
    received = notify.receive()
    assert received is not None
    assert len(received.data) == LONGEST + 1
    notify.close()
