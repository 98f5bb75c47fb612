"""What macOS alone has, with the system calls played: nobody has run it there."""

import contextlib
import errno
import importlib.util
import os
import select
import socket
import struct
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from supervisor import system
from supervisor.system.contract import Listener

pytest.importorskip("psutil")


@pytest.fixture
def darwin(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as macOS would have it."""
    path = Path(system.__file__).with_name("darwin.py")
    spec = importlib.util.spec_from_file_location("darwin_of_a_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "platform", "darwin")
    spec.loader.exec_module(module)
    monkeypatch.undo()
    return module


class Kqueue:
    """A kqueue whose descriptor is that of a pipe; `refused` is what it raises."""

    def __init__(self, refused: OSError | None = None) -> None:
        self.asked: list[tuple[int, ...]] = []
        self.is_closed = False
        self._refused = refused
        self._source, self.sink = os.pipe()

    def fileno(self) -> int:
        return self._source

    def control(self, changes: list[tuple[int, ...]], most: int) -> None:
        assert most == 0
        if self._refused is not None:
            raise self._refused
        self.asked += changes

    def close(self) -> None:
        self.is_closed = True
        os.close(self._source)


def played(queue: Kqueue) -> SimpleNamespace:
    """`select` as macOS has it; the numbers are those of sys/event.h."""
    return SimpleNamespace(
        kqueue=lambda: queue,
        kevent=lambda ident, filter, flags, fflags: (ident, filter, flags, fflags),
        KQ_FILTER_PROC=-5, KQ_EV_ADD=0x1, KQ_EV_ONESHOT=0x10, KQ_NOTE_EXIT=0x80000000,
    )  # fmt: skip


def test_the_end_of_a_process_makes_a_descriptor_readable(darwin: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Kqueue()
    monkeypatch.setattr(darwin, "select", played(queue))
    end = darwin.open_end_of(4711)
    assert queue.asked == [(4711, -5, 0x11, 0x80000000)]
    assert queue.is_closed, "the descriptor that is given back is another one"
    assert select.select([end], [], [], 0)[0] == []
    os.write(queue.sink, b"x")
    assert select.select([end], [], [], 0)[0] == [end]
    os.close(end)
    os.close(queue.sink)


def test_a_process_that_is_gone_has_no_end_to_wait_for(darwin: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Kqueue(ProcessLookupError(errno.ESRCH, "No such process"))
    monkeypatch.setattr(darwin, "select", played(queue))
    assert darwin.open_end_of(4711) is None
    assert queue.is_closed
    os.close(queue.sink)


class Socket:
    """Answers and takes options as a socket of macOS does, and notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert level == 0  # SOL_LOCAL
        if option == 2:  # LOCAL_PEERPID: a pid_t
            assert size == 4
            return struct.pack("@i", 4711)
        assert option == 1  # LOCAL_PEERCRED: struct xucred of sys/ucred.h
        assert size == 76
        return struct.pack("@IIh16I", 0, 501, 1, 20, *[0] * 15)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_REUSEADDR)
        self.done.append(bool(value))

    def bind(self, place: tuple[str, int]) -> None:
        self.done.append(place)


def test_the_other_end_of_a_unix_socket_is_known(darwin: ModuleType) -> None:
    assert darwin.peer_of(Socket()) == (4711, 501)


def test_a_cover_passes_what_lingers_and_cannot_be_joined(darwin: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(darwin, "sockets_of", lambda pids: [])
    cover = Socket()
    darwin.bind_past_lingering(cover, ("127.0.0.1", 6000))
    assert cover.done == [True, ("127.0.0.1", 6000), False]


@pytest.mark.parametrize(
    ("port", "is_listening", "is_refused"), [(6000, True, True), (6000, False, False), (6001, True, False)]
)
def test_a_cover_does_not_pass_a_listener_at_another_address(
    darwin: ModuleType, monkeypatch: pytest.MonkeyPatch, port: int, is_listening: bool, is_refused: bool
) -> None:
    other = Listener(port, socket.AF_INET, "10.0.0.7", listening=is_listening, pid=7)
    monkeypatch.setattr(darwin, "sockets_of", lambda pids: [other])
    refused = pytest.raises(OSError, match="in use") if is_refused else contextlib.nullcontext()
    with refused as caught:
        darwin.bind_past_lingering(Socket(), ("0.0.0.0", 6000))
    assert caught is None or caught.value.errno == errno.EADDRINUSE


def test_who_listens_is_asked_of_every_process(darwin: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    found = [
        Listener(6000, socket.AF_INET, "127.0.0.1", pid=7),
        Listener(6000, socket.AF_INET, "::", pid=8, listening=False),
    ]

    def sockets_of(pids: list[int]) -> list[Listener]:
        asked.extend(pids)
        return found

    monkeypatch.setattr(darwin, "sockets_of", sockets_of)
    assert darwin.listening((6000,)) == found[:1]
    assert os.getpid() in asked
    assert darwin.sockets_on((6000,)) == found
    assert darwin.listening(None) == found[:1]
    asked.clear()
    assert (darwin.listening(()), asked) == ([], []), "nothing is asked for no port"


def test_macos_is_what_every_posix_system_has_and_little_more(darwin: ModuleType) -> None:
    path = Path(system.__file__).with_name("darwin.py")
    assert path.read_text().count("\n") < 150
    assert not darwin.TIES_PROCESSES
    assert {address for _, address in darwin.COVERS} == {"0.0.0.0", "127.0.0.1", "::", "::1"}
