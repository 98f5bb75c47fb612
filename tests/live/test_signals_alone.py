"""Every signal to `portsup exec` and `portsup lease`: the program gets what it wants to know, and never outlives them.

Also what nobody can catch, sent to each process of `portsup up`.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from supervisor.process.signals import FAULTS, HARMLESS, OF_THE_TERMINAL, STOPPING
from tests.live.conftest import Make
from tests.live.stack import is_alive, is_locked, notes
from tests.live.test_signals import EVERY, NOBODY_CATCHES, TARGETS, has_line, named, pid_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import each_once, only

pytestmark = pytest.mark.live

OF_THE_C_LIBRARY = (32, 33)
ALONE = ("exec", "lease")


@pytest.fixture
def nothing_ignored() -> None:
    """Whoever starts a program by posix_spawn(3) of glibc, as make does, has it ignore signal 32, and Python cannot
    change that: the C library keeps this signal for itself.
    """
    ignored = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("SigIgn:"))
    rt_sigaction = {"x86_64": 13, "aarch64": 134}[os.uname().machine]
    for number in OF_THE_C_LIBRARY:
        if int(ignored.split()[1], 16) >> (number - 1) & 1:
            the_default = bytes(32)  # struct sigaction of the kernel: SIG_DFL, no flags, nothing blocked
            assert ctypes.CDLL(None).syscall(rt_sigaction, number, the_default, None, 8) == 0


@pytest.fixture
def listener(tmp_path: Path) -> list[str]:
    """A program that writes down its pid and each signal that it gets, and ends at the last one, SIGTERM."""
    code = f"""
import os, signal, sys, time
def note(number, _):
    os.write(log, b"%d\\n" % number)
    if number == signal.SIGTERM: os._exit(7)
log = os.open({str(tmp_path / "got")!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for number in signal.valid_signals() - {{9, 19, signal.SIGCHLD}}: signal.signal(number, note)
os.write(log, b"pid %d ready\\n" % os.getpid())
while True: time.sleep(0.05)  # pause(2) would sleep through one that comes just before it
"""
    return [sys.executable, "-c", code]


@pytest.fixture(params=ALONE)
def alone(
    request: pytest.FixtureRequest, stack: Make, listener: list[str], tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """`exec` or `lease` with that program: its process, the pid of the program, and what the program has got."""
    live, got = stack({"web": {"command": ["sleep", "9"]}}), tmp_path / "got"
    pool = ",".join(map(str, free_pool(2)))
    words = ["exec", "--pool", pool] if request.param == "exec" else ["lease", pool]
    # A process group of its own, but not a session: what stops by a key of the terminal stops only who has a parent.
    process = subprocess.Popen(
        live.command(*words, "--", *listener), cwd=live.folder, env=live.env, stderr=subprocess.DEVNULL, process_group=0
    )
    text = eventually(lambda: got.exists() and "ready" in got.read_text() and got.read_text(), within=20)
    program = int(str(text).split()[1])
    yield process, program, got
    for pid in (process.pid, program):
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    process.wait(20)


def state_of(pid: int) -> str:
    """The letter of proc(5): T for stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_passes_on_what_its_program_may_want_to_know(alone: tuple[subprocess.Popen[bytes], int, Path]) -> None:
    process, _, got = alone
    kept = {*FAULTS, *OF_THE_TERMINAL, *HARMLESS} - {signal.SIGWINCH}
    for number in (number for number in EVERY if number != signal.SIGTERM and number not in OF_THE_TERMINAL):
        process.send_signal(number)
        if number not in kept:
            eventually(partial(has_line, got, number), what=f"{named(number)} at the program")
        assert is_alive(process.pid), named(number)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 7
    assert not {str(int(number)) for number in kept} & set(got.read_text().split())


def test_what_suspends_suspends_portsup_and_the_program_goes_on(
    alone: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    process, program, got = alone
    for number in (*OF_THE_TERMINAL, signal.SIGSTOP):
        process.send_signal(number)
        eventually(lambda: state_of(process.pid) == "T", what=f"a stop by {named(number)}")
        assert state_of(program) != "T"
        process.send_signal(signal.SIGCONT)
        eventually(lambda: state_of(process.pid) != "T", what="the other way")
    process.send_signal(signal.SIGUSR1)
    eventually(partial(has_line, got, signal.SIGUSR1), what="a signal after all that")


@pytest.mark.parametrize("number", [signal.SIGKILL, *OF_THE_C_LIBRARY])
@pytest.mark.usefixtures("nothing_ignored")
def test_what_nobody_catches_ends_the_program_too(
    alone: tuple[subprocess.Popen[bytes], int, Path], number: int
) -> None:
    process, program, _ = alone
    process.send_signal(number)
    assert process.wait(20) == -number
    eventually(lambda: not is_alive(program), what="the end of the program")


@pytest.mark.parametrize(("target", "number"), each_once(TARGETS, [signal.SIGKILL, *OF_THE_C_LIBRARY]))
@pytest.mark.usefixtures("nothing_ignored")
def test_what_nobody_catches_leaves_no_service(stack: Make, tmp_path: Path, target: str, number: int) -> None:
    live = stack({"web": notes(tmp_path / "notes")})
    with live.foreground() as up:
        up.says("is up")
        web = live.rows()["web"]["pid"]
        os.kill(pid_of(live, target), number)
        up.ends()
        eventually(lambda: not is_alive(web), what="the end of the service")
    eventually(lambda: not any(map(is_locked, live.runtime.rglob("*.lock"))), what="a lock that is free")


@pytest.mark.parametrize("number", only([signal.SIGINT, signal.SIGTERM], STOPPING), ids=named)
def test_who_waits_for_a_start_in_the_background_passes_on_what_stops_it(
    stack: Make, tmp_path: Path, number: int
) -> None:
    live = stack({"web": {**notes(tmp_path / "notes"), "ready": {"exec": ["false"]}}})
    waiting = live.popen("up", "-d", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: (tmp_path / "notes").exists() and "begins" in (tmp_path / "notes").read_text(), within=20)
    waiting.send_signal(number)
    assert waiting.wait(20) != 0
    assert (tmp_path / "notes").read_text().split().count("ended") == 1, "it was stopped, not killed"
    live.leaves_nothing()


def test_every_signal_is_in_one_of_these_tests() -> None:
    assert {int(number) for number in (*EVERY, *NOBODY_CATCHES)} == set(map(int, signal.valid_signals()))
