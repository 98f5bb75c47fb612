import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.errors import SpawnError
from supervisor.process import fork, low, vfork
from supervisor.process.spawn import Command, keep_descriptors_home, spawn
from supervisor.system import identity_of
from tests.support.children import Children, children
from tests.support.eventually import eventually

pytestmark = pytest.mark.live


@pytest.fixture(params=["vfork", "vfork of many", "fork"])
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """Starts programs, once in each of the ways."""
    if request.param == "fork":
        monkeypatch.setattr(vfork, "works", lambda: False)
    elif not vfork.works():
        pytest.skip("this system cannot do it the fast way")
    elif request.param == "vfork of many":
        monkeypatch.setattr(vfork, "_FEW", 0)
        low.reserve()
    with children() as started:
        yield started


_MASKS = ("SigBlk", "SigIgn", "SigCgt")
# 32 and 33 are the C library's own: its posix_spawn, which `make` uses, leaves them ignored for all that comes after.
_OURS = ~(0b11 << 31)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def no_child() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_the_program_leads_a_session_of_its_own_and_has_nothing_but_its_stdio(start: Children) -> None:
    state = json.loads(start.program("prints_state").read())
    assert state["session"] == state["group"] == state["pid"]
    assert state["parent"] == os.getpid()
    assert set(state["descriptors"]) == {"0", "1", "2"}
    assert state["descriptors"]["0"] == "/dev/null"
    assert state["stdin"] == ""


def test_the_program_gets_the_descriptors_that_are_passed_to_it_and_variables_with_its_pid(start: Children) -> None:
    code = "import os; print(os.read(3, 9), os.read(4, 9), [os.environ[n] for n in ('A', 'B')], os.getpid())"
    pipes = [os.pipe() for _ in range(2)]
    for number, (_, end) in enumerate(pipes):
        os.write(end, b"%d" % number)
    ends = [pipes[0][0], pipes[1][0]]
    os.dup2(ends[0], 200, inheritable=False)  # one beyond those that it gets, too
    try:
        child = start.run(sys.executable, "-c", code, passed=(200, ends[1]), pid_variables=("A", "B"))
        assert child.read() == f"b'0' b'1' ['{child.pid}', '{child.pid}'] {child.pid}\n"
        state = json.loads(start.program("prints_state", passed=ends).read())
        assert set(state["descriptors"]) == {"0", "1", "2", "3", "4"}
    finally:
        for descriptor in (200, *(each for pair in pipes for each in pair)):
            os.close(descriptor)


def test_the_program_has_default_signal_handlers_and_no_blocked_signals(
    start: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        text = start.run("cat", "/proc/self/status").read()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR2}
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGUSR1, before[1])
    masks = {line[:6]: int(line.split()[1], 16) & _OURS for line in text.splitlines() if line[:6] in _MASKS}
    assert masks == {"SigBlk": 0, "SigIgn": 0, "SigCgt": 0}


def test_directory_umask_and_limit_are_those_asked_for(start: Children, tmp_path: Path) -> None:
    child = start.program("prints_state", working_dir=str(tmp_path), umask=0o027, nofile_limit=321)
    state = json.loads(child.read())
    assert (state["directory"], state["umask"], state["nofile"]) == (str(tmp_path), 0o027, 321)


def test_the_program_gets_exactly_its_environment_and_arguments(start: Children) -> None:
    odd = {"EMPTY": "", "BYTES": os.fsdecode(b"\xff\xfe"), "LINES": "a\nb"}
    child = start.program("prints_environment", environment=odd)
    printed = json.loads(child.read())
    assert {name: printed.get(name) for name in odd} == odd
    assert "HOME" not in printed
    child = start.program("prints_state", "", "a b", "--", "ä")
    assert json.loads(child.read())["arguments"] == ["", "a b", "--", "ä"]


def test_the_kernel_kills_the_program_when_its_parent_dies(start: Children) -> None:
    ours, theirs = os.pipe()
    parent = os.fork()
    if parent == 0:
        try:
            pid = spawn(start.command("sleep", "60"))
            os.write(theirs, str(pid).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.close(theirs)
    pid = int(os.read(ours, 20))
    os.close(ours)
    os.waitpid(parent, 0)
    eventually(lambda: identity_of(pid) is None, within=2.0)


@pytest.mark.parametrize("closed", [(0,), (0, 1), (0, 1, 2)])
def test_a_parent_without_stdio_gives_its_child_the_right_descriptors(start: Children, closed: tuple[int, ...]) -> None:
    ours, theirs = os.pipe()
    parent = os.fork()
    if parent == 0:
        try:
            for descriptor in closed:
                os.close(descriptor)
            os.waitpid(spawn(start.command("sh", "-c", "echo out; echo err >&2", stdout=theirs, stderr=theirs)), 0)
        finally:
            os._exit(0)
    os.close(theirs)
    os.waitpid(parent, 0)
    assert os.read(ours, 100) == b"out\nerr\n"
    os.close(ours)


def test_what_we_inherited_is_not_handed_on(start: Children) -> None:
    inherited = os.dup(1)
    try:
        os.set_inheritable(inherited, True)
        keep_descriptors_home.cache_clear()  # as in a process that has not started anything yet
        state = json.loads(start.program("prints_state").read())
    finally:
        os.close(inherited)
    assert set(state["descriptors"]) == {"0", "1", "2"}


def script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


MISTAKES = (
    *("unknown", "mistyped", "here", "no file", "not executable", "directory", "no working dir"),
    *("working dir is a file", "no #!", "interpreter", "too big", "empty", "empty word", "NUL", "NUL in a variable"),
    *("variable without a name", "variable with =", "bad text"),
)


def wrong_commands(folder: Path) -> dict[str, tuple[dict[str, object], str, str]]:
    """What can be wrong: the fields of the command, words of the reason, words of the hint."""
    plain = script(folder / "plain", "echo hello\n")
    return {
        "unknown": ({"argv": ["no-such-program"]}, "command not found in PATH", "install it"),
        "mistyped": ({"argv": ["slep"]}, "command not found", "did you mean `sleep`?"),
        "here": ({"argv": ["plain"]}, "command not found", "write `./plain`"),
        "no file": ({"argv": ["./nothing"]}, "there is no file", "it is seen from"),
        "not executable": ({"argv": [script(folder / "data", "x", 0o644)]}, "is not executable", "chmod +x"),
        "directory": ({"argv": [str(folder)]}, "is a directory", "name a program"),
        "no working dir": ({"working_dir": str(folder / "none")}, "does not exist", "or name another one"),
        "working dir is a file": ({"working_dir": plain}, "is not a directory", "or name another one"),
        "no #!": ({"argv": [plain]}, "nor a script that begins with #!", "#!/bin/sh"),
        "interpreter": (
            {"argv": [script(folder / "odd", "#!/no/python\n")]},
            "the interpreter `/no/python`",
            "install",
        ),
        "too big": ({"argv": ["true", "x" * 3_000_000]}, "more than the system takes", "in a file"),
        "empty": ({"argv": []}, "", "name a program"),
        "empty word": ({"argv": [""]}, "", "name a program"),
        "NUL": ({"argv": ["true", "a\0b"]}, "NUL", ""),
        "NUL in a variable": ({"environment": {"PATH": "/bin:/usr/bin", "A": "\0"}}, "NUL", ""),
        "variable without a name": ({"environment": {"PATH": "/bin:/usr/bin", "": "x"}}, "no name", ""),
        "variable with =": ({"environment": {"PATH": "/bin:/usr/bin", "A=B": "x"}}, "has a =", ""),
        "bad text": ({"argv": ["true", "\ud800"]}, "cannot be encoded", ""),
    }


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_can_not_run_is_explained_and_leaves_nothing(start: Children, mistake: str, tmp_path: Path) -> None:
    fields, why, hint = wrong_commands(tmp_path)[mistake]
    assert wrong_commands(tmp_path).keys() == set(MISTAKES)
    given = {"argv": ["true"], "environment": {"PATH": os.environ["PATH"]}, "working_dir": str(tmp_path)} | fields
    before = open_descriptors()
    with pytest.raises(SpawnError) as caught:
        spawn(Command(stdout=2, stderr=2, **given))  # type: ignore[arg-type]
    assert caught.value.what.startswith("cannot ")
    assert why in caught.value.why
    assert hint in caught.value.hint
    assert open_descriptors() == before
    assert no_child()


@pytest.mark.parametrize("free", range(9))
def test_when_descriptors_run_out_that_is_said_and_nothing_is_left(start: Children, free: int) -> None:
    command = start.command("true")
    os.waitpid(spawn(command), 0)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, open_descriptors())) + 10, limits[1]))
    held: list[int] = []
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.dup(1))
        for _ in range(free):
            os.close(held.pop())
        reason = ""
        try:
            os.waitpid(spawn(command), 0)
        except SpawnError as error:
            reason = f"{error.why} {error.hint}"
        assert ("too many files are open" in reason and "ulimit -n" in reason) or (not reason and free >= 2)
        assert not (reason and free == 8)
        held += [os.dup(1) for _ in range(free)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        any(map(os.close, held))
    assert no_child()


def test_a_user_out_of_processes_is_told_so(start: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> int:
        raise OSError(errno.EAGAIN, "again")

    monkeypatch.setattr(vfork, "start", refuse)
    monkeypatch.setattr(fork, "start", refuse)
    with pytest.raises(SpawnError, match="limit of processes") as caught:
        spawn(start.command("true"))
    assert "ulimit -u" in caught.value.hint


def test_a_rehearsal_that_finds_no_room_for_a_process_waits_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def fork(self) -> int:
            ctypes.set_errno(errno.EAGAIN)
            return -1

    monkeypatch.setattr(fork, "libc", Full)
    monkeypatch.setattr("_thread._count", lambda: 0)  # pytest-xdist has threads
    with pytest.raises(BlockingIOError):
        fork.rehearse(())


def test_a_thread_that_wants_to_go_on_meanwhile_keeps_no_child_from_starting(start: Children) -> None:
    over, before = threading.Event(), sys.getswitchinterval()

    def work() -> None:
        while not over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    sys.setswitchinterval(1e-5)  # it asks as often as it can
    try:
        for _ in range(20):
            assert start.program("exits", "5").wait() == 5
    finally:
        sys.setswitchinterval(before)
        over.set()
        thread.join()


def test_signals_that_arrive_meanwhile_reach_us_once_and_no_child(start: Children) -> None:
    got = 0

    def count(*_: object) -> None:
        nonlocal got
        got += 1

    before = signal.signal(signal.SIGALRM, count)
    limit = signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)  # of this test, which pytest-timeout has set
    try:
        codes = [os.waitstatus_to_exitcode(os.waitpid(spawn(start.command("true")), 0)[1]) for _ in range(100)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *limit)
        signal.signal(signal.SIGALRM, before)
    assert codes == [0] * 100
    assert got > 5
