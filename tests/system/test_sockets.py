"""Who listens, as the kernel tells it."""

import ctypes
import itertools
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from supervisor import system
from supervisor.dataclass import replace
from supervisor.system import WatchKind, linux_sockets, netlink
from tests.support.ports import free_port

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "127.0.0.2"),
        (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::"),
    ],
)
@pytest.mark.parametrize("way", ["netlink", "proc"])
def test_a_listener_is_told_with_address_user_and_owner(
    family: socket.AddressFamily, host: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "proc":
        monkeypatch.setattr(netlink, "_dump", _denied)
    port = free_port()
    try:
        server = socket.create_server((host, port), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    with server:
        (found,) = system.listening([port])
        assert system.listening([port], but=[found.inode]) == ([] if found.inode else [found])
        assert (found.port, found.family, found.address, found.uid) == (port, family, host, os.geteuid())
        assert found.inode == os.fstat(server.fileno()).st_ino
        assert found.listening
        assert system.owners_of([found], None) == {found.inode: os.getpid()}
        assert system.owners_of([found], [os.getppid()]) == {}
        assert port in system.listening_ports_of([os.getpid()])
        assert port not in system.listening_ports_of([os.getppid()])
    assert system.listening([port]) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc/net is of Linux")
def test_how_many_sockets_there_are_is_known_without_a_look_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_sockets, "MANY", 0)
    for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        try:
            server = socket.create_server((address, 0), family=family)
        except OSError:
            continue  # no such address here
        with server:
            assert system.has_many_sockets()
    monkeypatch.setattr(linux_sockets, "MANY", 1 << 31)
    assert not system.has_many_sockets()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="unshare(2) is of Linux")
def test_a_listener_in_the_descriptors_of_one_thread_alone_has_an_owner() -> None:
    ready, over = threading.Event(), threading.Event()
    found: list[int] = []

    def alone() -> None:
        ctypes.CDLL(None).unshare(0x400)  # CLONE_FILES
        with socket.create_server(("127.0.0.1", 0)) as server:
            found.append(os.fstat(server.fileno()).st_ino)
            ready.set()
            over.wait()

    threads = [threading.Thread(target=act) for act in (alone, over.wait)]
    for thread in threads:
        thread.start()
    try:
        assert ready.wait(10)
        listener = system.Listener(0, socket.AF_INET, "", inode=found[0])
        assert system.owners_of([listener], [os.getpid()]) == {found[0]: os.getpid()}
        assert system.owners_of([listener], None) == {found[0]: os.getpid()}
        assert system.owners_of([listener], [os.getppid()]) == {}
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _denied(*_: object) -> None:
    raise PermissionError


def test_a_kernel_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def silent(*_: object) -> None:
        asked.append(None)
        raise TimeoutError("timed out")

    monkeypatch.setattr(netlink, "_is_silent", False)
    monkeypatch.setattr(netlink, "_dump", silent)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for _ in range(3):
            assert [found.port for found in system.listening([port])] == [port]
    assert len(asked) == 1


def test_a_question_to_the_kernel_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is at the other end of this one."""

    class Nobody(socket.socket):
        def __init__(self, *_: object) -> None:
            super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
            self.connect(("127.0.0.1", port))

    monkeypatch.setattr(netlink, "_is_silent", False)
    monkeypatch.setattr(netlink, "WITHIN", 0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        monkeypatch.setattr(socket, "socket", Nobody)
        assert [found.port for found in system.listening([1])] in ([], [1])


def test_bound_and_connected_sockets_do_not_listen() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = server.accept()
        with accepted:
            assert [found.listening for found in system.sockets_on([port])].count(True) == 1
            assert len(system.sockets_on([port])) == 2
            assert system.listening([client.getsockname()[1]]) == []


def test_a_socket_that_several_processes_share_is_that_of_the_lowest_pid() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        pid = os.fork()
        if pid == 0:
            os.read(0, 0)
            os.kill(os.getpid(), 19)
            os._exit(0)
        inode = os.fstat(server.fileno()).st_ino
        os.waitpid(pid, os.WUNTRACED)
        assert system.owners_of(system.listening([server.getsockname()[1]]), None) == {inode: min(os.getpid(), pid)}
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_a_machine_with_many_listeners_is_read_whole() -> None:
    servers = [socket.create_server(("127.0.0.1", 0), backlog=1) for _ in range(400)]
    ports = {server.getsockname()[1] for server in servers}
    try:
        assert {found.port for found in system.listening(None)} >= ports
        assert system.listening_ports_of([os.getpid()]) >= ports
    finally:
        for server in servers:
            server.close()


def test_of_many_listeners_the_kernel_picks_those_that_are_asked_for() -> None:
    servers = [socket.create_server(("127.0.0.1", 0), backlog=1) for _ in range(200)]
    ports = sorted(server.getsockname()[1] for server in servers)
    try:
        every = {(found.port, found.inode) for found in system.listening(None)}
        for asked in (ports[:1], ports[:2], ports[::3], ports[10:90:7], ports, [*ports, 1, 65535], []):
            assert {(found.port, found.inode) for found in system.listening(asked)} == {
                pair for pair in every if pair[0] in asked
            }
    finally:
        for server in servers:
            server.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sock_diag is of Linux")
def test_the_kernel_goes_through_its_tables_once_for_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    ask = netlink._answers

    def count(*question: object) -> object:
        asked.append(question)
        return ask(*question)  # type: ignore[arg-type]

    monkeypatch.setattr(netlink, "_answers", count)
    with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
        four.bind(("127.0.0.1", 0))
        port = four.getsockname()[1]
        try:
            six.bind(("::1", port))
        except OSError:
            pytest.skip("no ::1 here, or another one has the port")
        expected = {(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")}
        bound = system.bound_only([port])
        assert not bound or {(each.family, each.address) for each in bound} == expected  # before Linux 6.8 it is empty
        four.listen()
        six.listen()
        assert {(each.family, each.address) for each in system.listening([port])} == expected
    assert len(asked) == 2


@pytest.mark.parametrize("gap", [1, 2, 7])
def test_many_ports_are_asked_for_as_few_ranges(gap: int) -> None:
    for count in (1, 2, 47, 48, 49, 600):
        asked = range(1000, 1000 + count * gap, gap)
        ranges = netlink._ranges(asked)
        assert len(ranges) <= 48
        assert all(any(first <= port <= last for first, last in ranges) for port in asked)
        assert (ranges[0][0], ranges[-1][1]) == (asked[0], asked[-1])
        assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))
        if gap == 1:
            assert ranges == [(asked[0], asked[-1])]


def test_a_search_for_owners_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        found = system.listening([server.getsockname()[1]])
        assert system.owners_of(found, [os.getpid()], until=0.0) in ({}, {found[0].inode: os.getpid()})
        nowhere = [replace(found[0], inode=1)]
        begun = time.monotonic()
        assert system.owners_of(nowhere, [os.getpid()] * 100_000, until=begun + 0.05) == {}
        assert time.monotonic() < begun + 30.0


def test_a_watch_tells_what_comes_goes_and_is_written_but_not_what_is_touched(tmp_path: Path) -> None:
    watch = system.open_watch()
    if watch is None:
        pytest.skip("no file events here")
    watch.add(str(tmp_path))
    file = tmp_path / "a"
    file.write_text("x")
    assert [event.kind for event in watch.read()] == [WatchKind.CREATED, WatchKind.WRITTEN]
    os.utime(file)
    file.chmod(0o600)
    file.read_text()
    assert watch.read() == []
    os.rename(file, tmp_path / "b")
    assert [(event.path, event.kind) for event in watch.read()] == [
        (str(tmp_path / "a"), WatchKind.MOVED_AWAY),
        (str(tmp_path / "b"), WatchKind.MOVED_HERE),
    ]
    (tmp_path / "b").unlink()
    tmp_path.rmdir()
    assert [event.kind for event in watch.read()] == [WatchKind.DELETED, WatchKind.GONE, WatchKind.GONE]
    watch.close()
    watch.close()


def test_a_watched_file_tells_every_write_when_asked_to(tmp_path: Path) -> None:
    watch = system.open_watch()
    if watch is None:
        pytest.skip("no file events here")
    file = tmp_path / "log"
    with file.open("w") as log:
        watch.add(str(file), entries=False, modified=True)
        log.write("line\n")
        log.flush()
        assert [(event.path, event.kind) for event in watch.read()] == [(str(file), WatchKind.MODIFIED)]
    watch.close()


def test_what_is_not_there_can_not_be_watched(tmp_path: Path) -> None:
    watch = system.open_watch()
    if watch is None:
        pytest.skip("no file events here")
    with pytest.raises(FileNotFoundError):
        watch.add(str(tmp_path / "missing"))
    watch.close()
