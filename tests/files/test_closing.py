"""A service cannot keep portsup waiting by the descriptors that it sends."""

import _thread
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.files import closing
from supervisor.files.closing import Closer
from supervisor.ports.seat import Seat
from supervisor.process.sd_notify_socket import NotifySocket
from tests.support.eventually import eventually

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
LONG = 20  # seconds, of which nobody waits for one


def lingering() -> tuple[socket.socket, socket.socket]:
    """A connection whose close waits for the other end, and that end, which has much to read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LONG))
    ours.setblocking(False)
    try:
        while True:
            ours.send(b"x" * 65536)
    except BlockingIOError:
        return ours, theirs


def test_a_socket_that_lingers_is_closed_behind_the_back_of_the_one_who_hears(tmp_path: Path) -> None:
    notify = NotifySocket(str(tmp_path / "n"))
    ours, theirs = lingering()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker, theirs:
        speaker.connect(notify.address)
        socket.send_fds(speaker, [b"READY=1"], [ours.fileno()])
        ours.close()
        received = notify.receive()
        assert received is not None
        assert received.data == b"READY=1"
        assert notify._closer.waiting == 1, "it is still being closed"
        reading, writing = os.pipe()
        socket.send_fds(speaker, [b"BARRIER=1"], [writing])
        os.close(writing)
        assert notify.receive() is not None
        assert os.read(reading, 1) == b"", "a barrier ends at once meanwhile"
        os.close(reading)
        while theirs.recv(1 << 20):
            pass
    eventually(lambda: notify._closer.waiting == 0, what="the end of it")
    threads = _thread._count()
    notify.close()
    eventually(lambda: _thread._count() < threads, what="the end of the thread")


def test_no_more_are_taken_when_too_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "MOST", 3)
    notify = NotifySocket(str(tmp_path / "n"))
    ours, theirs = lingering()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker, theirs:
        speaker.connect(notify.address)
        socket.send_fds(speaker, [b"READY=1"], [ours.fileno(), speaker.fileno(), speaker.fileno()])
        ours.close()
        assert [notify.has_many_to_close, notify.receive() is not None, notify.has_many_to_close] == [False, True, True]
        while theirs.recv(1 << 20):
            pass
    eventually(lambda: not notify.has_many_to_close, what="room")
    notify.close()


def test_a_shared_socket_is_closed_at_once_unless_it_is_connected() -> None:
    closer = Closer()
    with socket.socket() as fresh, closer.letting_go(fresh.dup()) as copy:
        pass
    assert (copy.fileno(), closer.waiting) == (-1, 0)
    ours, theirs = lingering()
    with theirs:
        with closer.letting_go(ours):
            pass
        assert closer.waiting == 1
        while theirs.recv(1 << 20):
            pass
    eventually(lambda: closer.waiting == 0, what="the end of it")
    with closer.letting_go(fresh):
        pass
    closer.end()


def test_a_kept_socket_that_its_service_has_connected_is_let_go_without_waiting() -> None:
    """It listened, was shut down, and lingers: the service is gone, and ours is the last copy."""
    seat = Seat()
    ours, theirs = lingering()
    seat.keep("web", ours)
    with theirs:
        seat.release("web")
        assert closing._closer.waiting == 1
        while theirs.recv(1 << 20):
            pass
    eventually(lambda: closing._closer.waiting == 0, what="the end of it")
    fresh = socket.socket()
    seat.keep("web", fresh)
    seat.close()
    assert (fresh.fileno(), closing._closer.waiting) == (-1, 0)


@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "never begins"])
def test_without_room_for_a_thread_they_wait(monkeypatch: pytest.MonkeyPatch, is_refused: bool) -> None:
    """One that lacks the memory to begin is gone without a word."""

    def refuse(*_: Any) -> None:
        if is_refused:
            raise RuntimeError("can't start new thread")

    closer = Closer()
    left, right = socket.socketpair()
    with monkeypatch.context() as full:
        full.setattr(_thread, "start_new_thread", refuse)
        closer.close([left.detach()])
        assert closer.waiting == 1
    closer.close([right.detach()])
    eventually(lambda: closer.waiting == 0, what="both closed")
    closer.end()
