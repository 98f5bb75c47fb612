"""`exec` and `lease`: one program under a pool, at our terminal."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live, answer_of, is_alive, is_free
from tests.live.terminal import Terminal
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

MODES = pytest.mark.parametrize("mode", ["auto", "off"])


def words(pool: tuple[int, ...], *more: str) -> list[str]:
    return ["exec", "--pool", f"{pool[0]}-{pool[-1]}", *more]


@contextlib.contextmanager
def running(live: Live, *command: str) -> Iterator["subprocess.Popen[str]"]:
    process = live.popen(*command)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(answer_of(port))
    return False


@pytest.fixture
def live(stack: Make) -> Live:
    return stack({})


@MODES
def test_the_program_has_its_port_and_its_exit_code_is_ours(live: Live, mode: str) -> None:
    pool = free_pool(3)
    done = live.run(*words(pool, "--handoff", mode), "--", "sh", "-c", 'echo "$PORT {port} $HOST"; exit 7')
    assert (done.returncode, done.stdout) == (7, f"{pool[0]} {pool[0]} 127.0.0.1\n")
    assert all(is_free(port) for port in pool)


def test_a_signal_that_ended_it_is_told_as_a_shell_does(live: Live) -> None:
    assert live.run(*words(free_pool(3)), "--", "sh", "-c", "kill -9 $$").returncode == 128 + signal.SIGKILL


def test_it_reads_our_input(live: Live) -> None:
    command = live.command("exec", "--name", "reader", "--", "cat")
    done = subprocess.run(command, input="from here\n", env=live.env, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "from here\n")


@MODES
def test_the_whole_pool_is_its_own_while_it_runs(live: Live, mode: str) -> None:
    pool = free_pool(3)
    with running(live, *words(pool, "--handoff", mode), "--", *program("listens")) as process:
        eventually(lambda: answers(pool[0]))
        assert not any(is_free(port) for port in pool)
        second = live.run(*words(pool), "--", "true")
        assert second.returncode == 12
        assert f"(pid {process.pid})" in second.stderr
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    assert all(is_free(port) for port in pool)


@MODES
def test_a_stranger_on_the_first_port_is_named_and_passed_over(live: Live, mode: str) -> None:
    pool = free_pool(3)
    with socket.create_server(("127.0.0.1", pool[0])):
        done = live.run(*words(pool, "--handoff", mode), "--", "sh", "-c", "echo $PORT")
        assert (done.returncode, done.stdout) == (0, f"{pool[1]}\n")
        assert f"{pool[0]}: held by `" in done.stderr
        strict = live.run(*words(pool, "--strict-ports"), "--", "true")
        assert strict.returncode == 12


def test_it_runs_although_nobody_can_read_that_it_has_another_port(live: Live) -> None:
    pool = free_pool(2)
    with socket.create_server(("127.0.0.1", pool[0])), open("/dev/full", "wb") as full:
        command = live.command(*words(pool), "--", "sh", "-c", "echo $PORT")
        done = subprocess.run(command, env=live.env, stdout=subprocess.PIPE, stderr=full, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, f"{pool[1]}\n")


def test_a_lost_lock_ends_it(live: Live) -> None:
    pool = free_pool(3)
    with running(live, *words(pool), "--", *program("listens")) as process:
        eventually(lambda: answers(pool[0]))
        (live.runtime / "ports" / f"{pool[1]}.lock").unlink()
        assert process.wait(20) == 13
    assert is_free(pool[0])


@MODES
def test_what_it_leaves_behind_is_ended(live: Live, mode: str) -> None:
    pool, note = free_pool(3), live.folder / "pid"
    left_behind = f"setsid sh -c 'echo $$ > {note}.new; mv {note}.new {note}; exec sleep 1000' &"
    command = f"{left_behind} while ! test -e {note}; do sleep 0.01; done"
    assert live.run(*words(pool, "--handoff", mode), "--", "sh", "-c", command).returncode == 0
    left = int(note.read_text())
    eventually(lambda: not is_alive(left))


def test_a_server_that_it_leaves_behind_is_no_reason_to_take_another_port(live: Live) -> None:
    pool = free_pool(3)
    with running(live, *words(pool, "--handoff", "off"), "--", *program("leaves_server")) as process:
        eventually(lambda: answers(pool[0]))
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
        assert "leaves port" not in process.communicate()[1]
    assert all(is_free(port) for port in pool)


def test_a_stranger_on_its_port_moves_it_and_the_next_program_goes_on(live: Live) -> None:
    """The first one had a moment to end; what would have ended it then is not for its successor."""
    pool, note = free_pool(2), live.folder / "runs"
    script = (
        "import sys; from supervisor.daemon.single import run as one; one.CHECK_EVERY = 0.3; "
        "program = one.Program('x', sys.argv[2:], [int(p) for p in sys.argv[1].split()], hands_over=False); "
        "sys.exit(one.SingleRun(program, 'run', one.say_on_stderr).run())"
    )
    job = f"echo >> {note}; if [ $PORT = {pool[0]} ]; then exec sleep 1000; fi; sleep 0.8; exit 7"
    command = [sys.executable, "-c", script, " ".join(map(str, pool)), "sh", "-c", job]
    with subprocess.Popen(command, env=live.env, stderr=subprocess.PIPE, text=True) as process:
        eventually(note.exists)
        with socket.create_server(("127.0.0.1", pool[0])):
            said = process.communicate(timeout=90)[1]
    assert process.returncode == 7
    assert f"leaves port {pool[0]}" in said


def test_ctrl_c_reaches_it_once(live: Live, tmp_path: Path) -> None:
    script = tmp_path / "counts.py"
    script.write_text(
        "import signal, sys, time\n"
        "came = []\n"
        "signal.signal(signal.SIGINT, lambda *_: came.append(1))\n"
        "print('ready', flush=True)\n"
        "deadline = time.monotonic() + 20\n"
        "while not came and time.monotonic() < deadline: time.sleep(0.01)\n"
        "time.sleep(0.3)\n"  # a second one would come at once
        "print('interrupted', len(came), flush=True)\n"
        "sys.exit(5)\n"
    )
    with Terminal(live, *words(free_pool(3)), "--", sys.executable, str(script)) as terminal:
        terminal.says("ready")
        terminal.press(b"\x03")
        terminal.says("interrupted 1")
        assert terminal.ends() == 5


def test_a_lease_is_for_all_ports_or_none(live: Live) -> None:
    pool = free_pool(3)
    ports = ",".join(map(str, pool))
    script = "import os, socket; [socket.create_server(('127.0.0.1', int(p))) for p in os.environ['PORTS'].split()]"
    done = live.run("lease", ports, "--", sys.executable, "-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    with socket.create_server(("127.0.0.1", pool[2])):
        refused = live.run("lease", ports, "--", "true")
        assert refused.returncode == 12
        assert f"{pool[2]}  held by" in refused.stderr
    note = live.folder / "has-them"
    with running(live, "lease", ports, "--name", "tests", "--", "sh", "-c", f"touch {note}; exec sleep 1000"):
        eventually(note.exists)
        refused = live.run("lease", str(pool[1]), "--", "true")
        assert (refused.returncode, "leased to `tests`" in refused.stderr) == (12, True)
        assert "cannot lease all of these ports" in refused.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["exec"], "none is given"),
        (["exec", "--pool", "9-1", "--", "true"], "the lower one first"),
        (["exec", "--pool", "x", "--", "true"], "not ports"),
        (["exec", "--pool", "1-65535", "--", "true"], "portsup would hold all of them"),
        (["exec", "--name", "a/b", "--", "true"], "a name has letters"),
        (["exec", "--port-env", "A=B", "--", "true"], "not the name of a variable"),
        (["lease", "8100"], "no command is given"),
        (["lease", "8100,8100", "--", "true"], "a port twice"),
        (["lease", "8100", "--name", "a"], "no command is given"),
    ],
)
def test_what_makes_no_sense_is_refused(live: Live, given: list[str], said: str) -> None:
    done = live.run(*given)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_program_that_does_not_exist_leaves_nothing(live: Live) -> None:
    pool = free_pool(3)
    done = live.run(*words(pool), "--", "no-such-program-here")
    assert done.returncode == 1
    assert "command not found" in done.stderr
    assert all(is_free(port) for port in pool)
