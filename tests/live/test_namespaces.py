"""Instances in PID namespaces of their own, as in containers that share a runtime directory: the lock says who runs."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor import system
from supervisor.control.client import Client
from tests.live.conftest import Make
from tests.live.stack import Live, is_alive, parent_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.processes import processes_with
from tests.support.running import program

pytestmark = pytest.mark.live

AS_ROOT = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
AS_USER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")


@pytest.fixture(params=[AS_ROOT, AS_USER], ids=["root", "user"])
def inside(request: pytest.FixtureRequest, own_folders: Path) -> tuple[str, ...]:
    """What a command begins with to run in a PID namespace of its own; as an ordinary user in a user namespace too."""
    words: tuple[str, ...] = request.param
    if words is AS_ROOT and os.getuid() != 0:
        pytest.skip("only root makes a PID namespace without a user namespace")
    trial = subprocess.run([*words, "true"], capture_output=True, text=True)
    if trial.returncode:
        pytest.skip(f"the kernel refuses a namespace: {trial.stderr.strip()}")
    return words


@contextlib.contextmanager
def up_inside(live: Live, inside: tuple[str, ...], *words: str) -> Iterator[subprocess.Popen[str]]:
    """`portsup up` in the foreground in a namespace of its own, up; ended with all that is in it after the block."""
    with (live.folder / "inside.err").open("wb") as err:
        process = subprocess.Popen(
            [*inside, *live.command("up", *words)], cwd=live.folder, env=live.env, stdout=subprocess.DEVNULL,
            stderr=err, text=True,
        )  # fmt: skip
    try:
        eventually(lambda: "is up" in (live.folder / "inside.err").read_text(), within=30, what="the start inside")
        yield process
    finally:
        for info in live.infos():
            if info.pid_here is None:
                list(Client(info.socket).stream("down", timeout=1))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def run_inside(live: Live, inside: tuple[str, ...], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*inside, *live.command(*words)], cwd=live.folder, env=live.env, capture_output=True, text=True, timeout=60
    )


def main_pid(port: int) -> int:
    """The pid, for us, of the program that listens there."""
    (found,) = eventually(lambda: system.listening((port,)), within=30, what=f"a listener on {port}")
    return system.owners_of((found,), None)[found.inode]


def test_an_instance_in_another_namespace_runs_for_everybody(stack: Make, inside: tuple[str, ...]) -> None:
    ports = free_pool(130)
    live = stack({"web": {"command": program("listens"), "pool": list(ports[:2])}})
    with up_inside(live, inside):
        web = main_pid(ports[0])
        for words in (("prune", "--yes"), ("prune", "--dry-run")):
            done = live.run(*words)
            assert (done.returncode, done.stderr) == (0, "ended runs have left nothing behind\n")
        (listed,) = [json.loads(line) for line in live.run("ls", "--format", "json").stdout.splitlines()]
        assert (listed["instance"], listed["pid"]) == (1, None)
        found = [json.loads(line) for line in live.run("doctor", "--format", "json").stdout.splitlines()]
        assert [each["level"] for each in found if each["check"] == "leftovers"] == ["ok"]
        assert any("of another PID namespace" in each["what"] for each in found if each["check"] == "processes")
        assert live.run("status").returncode == 0
        assert live.run("up", "-d").returncode == 0
        assert sorted(info.instance for info in live.infos()) == [1, 2], "its number is taken"
        assert live.run("--instance", "2", "down").returncode == 0
        assert live.run("--instance", "1", "up", "-d").returncode == 14
        assert is_alive(web)
        assert live.run("down").returncode == 0
    eventually(lambda: not is_alive(web))
    live.leaves_nothing(*ports[:2])


def test_what_looks_from_inside_leaves_an_instance_outside_alone(stack: Make, inside: tuple[str, ...]) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with live.up():
        web = live.rows()["web"]["pid"]
        done = run_inside(live, inside, "prune", "--yes")
        assert (done.returncode, done.stderr) == (0, "ended runs have left nothing behind\n")
        assert "t-1.json" in os.listdir(live.runtime / "instances")
        assert run_inside(live, inside, "ls", "--quiet").stdout == "1\n"
        assert run_inside(live, inside, "status").returncode == 0
        assert is_alive(web)


def test_two_namespaces_do_not_know_of_each_other_and_both_run(stack: Make, inside: tuple[str, ...]) -> None:
    ports = free_pool(130)
    live = stack({"web": {"command": program("listens"), "pool": list(ports[:2])}})
    with up_inside(live, inside):
        web = main_pid(ports[0])
        other = run_inside(live, inside, "prune", "--yes")
        assert (other.returncode, other.stderr) == (0, "ended runs have left nothing behind\n")
        assert is_alive(web)


def test_a_program_under_exec_in_another_namespace_is_left_alone(stack: Make, inside: tuple[str, ...]) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": ["sleep", "99"]}})
    command = live.command("exec", "--pool", f"{pool[0]}-{pool[1]}", "--", *program("listens"))
    process = subprocess.Popen([*inside, *command], cwd=live.folder, env=live.env, stderr=subprocess.DEVNULL)
    try:
        program_pid = main_pid(pool[0])
        assert live.run("prune", "--yes").stderr == "ended runs have left nothing behind\n"
        assert "pid 1 of another PID namespace" in live.run("exec", "--pool", str(pool[0]), "--", "true").stderr
        assert is_alive(program_pid)
    finally:
        process.kill()
        process.wait()
    eventually(lambda: not is_alive(program_pid), what="the end of the namespace")


@pytest.mark.skipif(os.getuid() != 0, reason="makes a PID namespace, which needs root")
def test_what_a_killed_run_in_a_namespace_below_left_is_ended_by_prune(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("leaves_session"), "pool": [port], "ready": "started"}})
    holder = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "sleep", "1000"], env={})
    try:
        init = eventually(lambda: system.children_of(holder.pid), what="the namespace")[0]
        enter = ("nsenter", f"--target={init}", "--pid", "--mount", f"--wd={live.folder}")
        assert run_inside(live, enter, "up", "-d").returncode == 0
        eventually(lambda: "grandchild" in live.log("web"), what="a process that left its session")
        left = processes_of(live)
        (info,) = live.infos()
        assert info.pid_here is None
        daemon = next(pid for pid in left if pid_inside(pid) == info.pid)
        guardian = parent_of(daemon)
        os.kill(guardian, signal.SIGSTOP)
        os.kill(daemon, signal.SIGKILL)
        os.kill(guardian, signal.SIGKILL)
        eventually(lambda: not live.infos(), what="free locks")
        assert run_inside(live, enter, "ls", "--quiet").stdout == ""
        assert "ended 1 process," in live.run("prune", "--yes").stderr
        eventually(lambda: not processes_of(live), what="the end of what was left")
        live.leaves_nothing(port)
    finally:
        for pid in system.children_of(holder.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        holder.wait()


def processes_of(live: Live) -> list[int]:
    return list(processes_with(f"={live.runtime}"))


def pid_inside(pid: int) -> int:
    """The number that a process has in its own namespace, proc(5), NSpid."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[-1]) for line in lines if line.startswith("NSpid:"))


@pytest.mark.parametrize(
    "words", [("prune", "--yes"), ("up",), ("up", "-d"), ("up", "--dry-run"), ("exec", "--", "true")]
)
@pytest.mark.skipif(os.getuid() != 0, reason="makes a PID namespace, which needs root")
def test_the_proc_of_another_namespace_is_refused_in_a_sentence(stack: Make, words: tuple[str, ...]) -> None:
    live = stack({"web": {"command": ["sleep", "99"]}})
    done = run_inside(live, ("unshare", "--pid", "--fork", "--kill-child"), *words)
    assert done.returncode == 1, done.stderr
    assert "/proc shows the processes of another PID namespace" in done.stderr
    assert "hint: mount one for this PID namespace: `mount -t proc proc /proc`" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [(("up",), "cannot supervise services"), (("up", "--dry-run"), "cannot tell which ports are free")],
)
@pytest.mark.skipif(os.getuid() != 0, reason="unmounts /proc in a namespace of its own, which needs root")
def test_a_place_without_proc_is_refused_in_a_sentence(stack: Make, words: tuple[str, ...], what: str) -> None:
    live = stack({"web": {"command": ["sleep", "99"]}})
    done = run_inside(live, ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"), *words)
    assert done.returncode == 1, done.stderr
    assert f"error: {what}: there is no /proc here" in done.stderr
