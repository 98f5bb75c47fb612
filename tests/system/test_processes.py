"""What the system tells about processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor import system
from supervisor.system import Identity
from tests.support.eventually import eventually
from tests.support.opened import opened

pytestmark = pytest.mark.live

_WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


@contextmanager
def running(code: str = _WAITS, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_an_identity_is_of_one_process_only() -> None:
    me = system.identity_of(os.getpid())
    assert me is not None
    assert system.is_alive(me)
    assert Identity.from_json(me.as_json()) == me
    assert not system.is_alive(Identity(me.pid, me.start_time + 1, me.boot))
    assert not system.is_alive(Identity(me.pid, me.start_time, "another boot"))


def test_a_process_that_ended_is_not_alive_even_before_it_is_reaped() -> None:
    with running() as process:
        identity = system.identity_of(process.pid)
        assert identity is not None
        process.kill()
        eventually(lambda: not system.is_alive(identity), within=2)
        assert process.returncode is None
        process.wait()
        assert system.identity_of(process.pid) is None


FIRST_THREAD_ENDS = """
import ctypes, os, socket, threading
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=server.accept).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_process_is_alive_whose_first_thread_has_ended() -> None:
    """It is a zombie by its state, and its descriptors and environment are those of another thread."""
    with running(FIRST_THREAD_ENDS, MARK="here") as process:
        stat = Path(f"/proc/{process.pid}/stat")
        eventually(lambda: ") Z " in stat.read_text())
        identity = system.identity_of(process.pid)
        assert identity is not None
        assert system.is_alive(identity)
        assert system.environ_of(process.pid)["MARK"] == "here"
        assert len(system.listening_ports_of([process.pid])) == 1
        process.kill()
        eventually(lambda: not system.is_alive(identity), within=2)


def test_nothing_is_told_of_a_process_that_is_not_there() -> None:
    gone = 2**22 + 1
    assert system.identity_of(gone) is None
    assert system.environ_of(gone) == {}
    assert system.process_name(gone) == system.process_user(gone) == system.process_command(gone) == ""
    assert system.children_of(gone) == system.descendants_of(gone) == []


def test_name_user_command_and_environment_are_told() -> None:
    with running(PORTSUP_TEST_MARK="a=b") as process:
        assert system.process_name(process.pid).startswith("python")
        assert system.process_user(process.pid) == system.user_name(os.geteuid())
        assert "sys.stdin.read()" in system.process_command(process.pid)
        assert system.environ_of(process.pid)["PORTSUP_TEST_MARK"] == "a=b"
        assert system.pids_with_environ("PORTSUP_TEST_MARK", "a=b") == [process.pid]
        assert system.pids_with_environ("PORTSUP_TEST_MARK", "a") == []


def test_a_name_with_parentheses_and_blanks_does_not_confuse() -> None:
    code = "open('/proc/self/comm', 'w').write(') R 1 (x'); print('ready', flush=True); import sys; sys.stdin.read()"
    with running(code) as process:
        identity = system.identity_of(process.pid)
        assert identity is not None
        assert system.is_alive(identity)
        assert system.process_name(process.pid) == ") R 1 (x"


def test_a_program_that_renames_its_main_thread_keeps_its_name() -> None:
    code = "open('/proc/self/comm', 'w').write('MainThread'); print('ready', flush=True); import sys; sys.stdin.read()"
    with running(code) as process:
        assert system.process_name(process.pid) == os.path.basename(sys.executable)


def test_a_user_without_a_name_is_a_number() -> None:
    assert system.user_name(12345) == "uid 12345"


_FAMILY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
print("ready", flush=True)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_children_and_descendants_are_told() -> None:
    with running(_FAMILY) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert system.children_of(parent.pid) == [child]
        assert parent.pid in system.children_of(os.getpid())
        mine = system.descendants_of(os.getpid())
        assert mine.index(parent.pid) < mine.index(child)
        os.kill(child, signal.SIGKILL)


def test_children_of_every_thread_are_told() -> None:
    code = """
import subprocess, sys, threading
def start():
    global child
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
    started.set()
    threading.Event().wait()
started = threading.Event()
threading.Thread(target=start, daemon=True).start()
started.wait()
print("ready", flush=True)
print(child.pid, flush=True)
sys.stdin.read()
"""
    with running(code) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert system.children_of(parent.pid) == [child]
        os.kill(child, signal.SIGKILL)


def test_a_subreaper_gets_the_orphans_of_its_descendants() -> None:
    code = """
import os, sys
from supervisor import system
assert system.set_child_subreaper()
if os.fork() == 0:
    if os.fork() == 0:
        os.read(0, 1)
    os._exit(0)
os.wait()
print("ready", flush=True)
print(len(system.children_of(os.getpid())), flush=True)
sys.stdin.read()
"""
    with running(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"


def test_a_process_dies_with_its_parent_when_asked_to() -> None:
    code = """
import os, signal, sys, time
from supervisor import system
system.prepare_spawning()
reading, writing = os.pipe()
if os.fork() == 0:
    system.set_parent_death_signal(signal.SIGKILL)
    os.write(writing, b"x")
    time.sleep(60)
os.read(reading, 1)
print("ready", flush=True)
sys.stdin.read()
"""
    with running(code) as parent:
        (child,) = system.children_of(parent.pid)
        identity = system.identity_of(child)
        assert identity is not None
        parent.kill()
        eventually(lambda: not system.is_alive(identity), within=2)


def test_the_limit_of_open_files_is_raised_and_the_old_one_told() -> None:
    code = """
import resource
from supervisor import system
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 1000))
print("ready")
print(system.raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE), flush=True)
import sys; sys.stdin.read()
"""
    with running(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "100 1000 1000\n"


def test_looking_up_an_identity_reads_one_file() -> None:
    system.identity_of(os.getpid())  # the boot id is read once
    with opened() as files:
        assert system.identity_of(os.getpid())
    assert files == [f"/proc/{os.getpid()}/stat"]
