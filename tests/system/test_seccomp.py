"""The filter that puts bind and listen calls before us, and the answers to them; with real processes."""

import contextlib
import errno
import functools
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.errors import SpawnError
from supervisor.process import fork, vfork
from supervisor.process.filters import Filters, why_not
from supervisor.process.image import Calls
from supervisor.process.spawn import rehearse, spawn
from supervisor.system.held_calls import (
    Asked,
    HeldCalls,
    memory_of,
    netns_cookie,
    netns_cookie_of_ours,
    process_of,
    socket_of,
)
from supervisor.system.registrations import is_close_on_exec
from supervisor.system.seccomp import BindFilter
from tests.support.children import Children, children
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]


@pytest.fixture(params=["vfork", "vfork of many", "fork"])
def under(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[BindFilter]:
    """A filter for children that are started in each of the ways."""
    if request.param == "fork":
        monkeypatch.setattr(vfork, "works", lambda: False)
    elif request.param == "vfork of many":
        monkeypatch.setattr(vfork, "_FEW", 0)
    made = BindFilter()
    yield made
    made.close()


@pytest.fixture
def start() -> Iterator[Children]:
    with children() as started:
        yield started


def begin(start: Children, under: BindFilter, *argv: str, **environment: str) -> tuple[int, HeldCalls]:
    """A program of tests/programs under the filter: its pid and its calls."""
    pid = spawn(start.command(*program(*argv), environment=environment), under.calls)
    return pid, HeldCalls(under.take())


def next_call(calls: HeldCalls) -> Asked:
    """The call that waits, or the next one."""
    asked = None
    while asked is None:
        assert select.select([calls], [], [], 10)[0], "no call within 10 s"
        assert not calls.is_over(), "it ended"
        asked = calls.receive()
    return asked


def end(pid: int, calls: HeldCalls) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    calls.close()


def test_bind_and_listen_wait_for_an_answer_and_can_be_looked_into(start: Children, under: BindFilter) -> None:
    port = free_port()
    pid, calls = begin(start, under, "listens", PORT=str(port))
    asked = next_call(calls)
    assert (asked.thread, asked.is_bind, calls.is_valid(asked)) == (pid, True, True)
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton("127.0.0.1")
    assert memory_of(pid, asked.address, asked.length)[:8] == address
    assert is_close_on_exec(pid, asked.fd)
    with socket_of(pid, asked.fd) as theirs:
        assert (theirs.family, theirs.type) == (socket.AF_INET, socket.SOCK_STREAM)
        assert netns_cookie(theirs) == netns_cookie_of_ours() != 0
    calls.let_through(asked)
    asked = next_call(calls)
    assert not asked.is_bind
    with socket_of(pid, asked.fd) as theirs:
        assert theirs.getsockname() == ("127.0.0.1", port)
    calls.let_through(asked)
    end(pid, calls)


def test_what_is_opened_and_closed_meanwhile_does_not_matter(start: Children, under: BindFilter) -> None:
    lowest = os.open(os.devnull, os.O_RDONLY)
    opened: list[int] = []

    def first(change: Callable[[], object]) -> Calls:  # as another thread of ours does it
        calls = under.calls()
        change()
        return calls

    def opens() -> None:
        opened.append(os.open(os.devnull, os.O_RDONLY))

    for change in (lambda: os.close(lowest), opens, opens):
        pid = spawn(start.command(*program("exits", "0")), functools.partial(first, change))
        end(pid, HeldCalls(under.take()))
    for descriptor in opened:
        os.close(descriptor)


def test_a_socket_of_ours_takes_the_place_of_the_programs(start: Children, under: BindFilter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        pid, calls = begin(start, under, "listens", PORT=str(free_port()))
        asked = next_call(calls)
        calls.replace(asked, asked.fd, ours.fileno(), close_on_exec=True)
        calls.succeed(asked)
        calls.let_through(next_call(calls))
        with socket.create_connection(ours.getsockname(), 5) as client:
            assert int(client.recv(64)) == pid
        end(pid, calls)


def test_a_call_can_be_refused(start: Children, under: BindFilter) -> None:
    child = start.run(*program("prints_state"))  # its output is not wanted, its pipes are
    child.read()
    pid, calls = begin(start, under, "listens", PORT=str(free_port()))
    calls.fail(next_call(calls), errno.EACCES)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    eventually(calls.is_over)
    calls.close()


def test_who_waits_when_nobody_answers_any_more_gets_an_error(start: Children, under: BindFilter) -> None:
    pid, calls = begin(start, under, "listens", PORT=str(free_port()))
    next_call(calls)
    calls.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1  # ENOSYS


@pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (5, 19), reason="here signals interrupt each of these calls"
)
def test_no_signal_interrupts_a_call_that_we_have_received(start: Children, under: BindFilter) -> None:
    pid, calls = begin(start, under, "minds_signals", PORT=str(free_port()))
    for _ in range(2):  # bind, listen
        asked = next_call(calls)
        os.kill(pid, signal.SIGUSR1)
        eventually(lambda: signal.SIGUSR1 in signals_waiting_for(pid))
        assert calls.is_valid(asked)
        calls.let_through(asked)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    calls.close()


def signals_waiting_for(pid: int) -> list[int]:
    """Signals that were sent to a process and that it has not had yet, proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    pending = int(status.split("ShdPnd:")[1].split()[0], 16)
    return [number for number in range(1, 65) if pending >> (number - 1) & 1]


def test_the_end_of_the_last_process_is_told(start: Children, under: BindFilter) -> None:
    pid, calls = begin(start, under, "leaves_session")
    (grandchild,) = eventually(lambda: _children_of(pid))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not calls.is_over()
    assert calls.receive() is None
    os.kill(grandchild, signal.SIGKILL)
    os.waitpid(grandchild, 0)  # before Linux 6.11 it counts until then
    eventually(calls.is_over)
    calls.close()
    assert calls.is_over()


def _children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(word) for word in listed.read().split()]


def test_a_call_whose_caller_was_killed_is_no_more(start: Children, under: BindFilter) -> None:
    pid, calls = begin(start, under, "listens", PORT=str(free_port()))
    asked = next_call(calls)
    end_of = signal.SIGKILL
    os.kill(pid, end_of)
    os.waitpid(pid, 0)
    assert not calls.is_valid(asked)
    calls.succeed(asked)  # nobody minds
    assert calls.receive() is None
    calls.close()


def is_only(pid: int, program: bytes) -> bool:
    """Whether a process runs the program and has nothing of the filter open.

    Not at once: vfork(2) comes back in the middle of execve(2), before arguments and descriptors are in place.
    """
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return program in Path(f"/proc/{pid}/cmdline").read_bytes() and not any("seccomp" in link for link in links)


def test_the_program_sees_nothing_of_the_filter_but_its_effect(start: Children, under: BindFilter) -> None:
    """No descriptor is left of it, and what comes first does not keep the program from being started or refused."""
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        pid, calls = begin(start, under, "never_listens")
        try:
            eventually(functools.partial(is_only, pid, b"never_listens"))
        finally:
            end(pid, calls)
    with pytest.raises(SpawnError):
        spawn(start.command("/no/such/program"), under.calls)
    with pytest.raises(SpawnError):
        spawn(start.command("/etc/passwd"), under.calls)
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_program_that_can_not_be_executed_leaves_nothing_to_the_next_one(
    start: Children, under: BindFilter, tmp_path: Path
) -> None:
    """The filter is installed, and its descriptor sent, before the kernel refuses the file."""
    garbage = tmp_path / "garbage"
    garbage.write_text("neither a program nor a script\n")
    garbage.chmod(0o755)
    with pytest.raises(SpawnError, match="neither a program for this machine"):
        spawn(start.command(str(garbage)), under.calls)
    pid, calls = begin(start, under, "listens", PORT=str(free_port()))
    try:
        assert next_call(calls).is_bind
    finally:
        end(pid, calls)


def test_a_descriptor_that_is_no_socket_is_told_and_given_back() -> None:
    with open(os.devnull) as null:
        before = set(os.listdir("/proc/self/fd"))
        with pytest.raises(OSError, match="Socket operation on non-socket"):
            socket_of(os.getpid(), null.fileno())
        eventually(lambda: set(os.listdir("/proc/self/fd")) == before, what="it is closed, by a thread")


@pytest.mark.parametrize("way", [vfork, fork])
def test_a_second_filter_above_a_process_can_not_be_had_and_that_is_told(
    way: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = BindFilter()
    # What a stranger above us would have: one with a descriptor, which does not notify of the second, as ours does.
    allow = struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW
    monkeypatch.setattr("supervisor.system.seccomp.filter_program", lambda _: allow)
    above = BindFilter()
    code = way.rehearse((*above.installation, *made.installation))  # type: ignore[attr-defined]
    above.close()
    made.close()
    assert code == errno.EBUSY


def test_what_stands_against_it_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.process.filters.rehearse", lambda _: errno.EBUSY)
    filters = Filters()
    assert filters.get() is None
    assert filters.why_not == "a program above portsup answers its system calls already"
    assert rehearse(()) == 0


def test_the_process_of_a_thread_is_told_whichever_of_its_threads_it_is() -> None:
    over, ids = threading.Event(), list[int]()

    def live() -> None:
        ids.append(threading.get_native_id())
        over.wait()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert eventually(lambda: ids, within=10)
        assert process_of(ids[0]) == process_of(os.getpid()) == os.getpid()
    finally:
        over.set()
        thread.join()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    with pytest.raises(ProcessLookupError):
        process_of(pid)
