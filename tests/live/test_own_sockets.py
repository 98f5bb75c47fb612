"""Programs keep their own sockets under the handoff, however they come by them, and nobody else gets beneath."""

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.process.filters import why_not
from supervisor.system import listening
from tests.live.conftest import Make
from tests.live.stack import Live, is_alive
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.namespace import own_network
from tests.support.ports import free_pool
from tests.support.rounds import only
from tests.support.running import PROGRAMS
from tests.support.thief import thief, ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

WAYS = (
    "epoll", "epoll-modify", "epoll-twice", "epoll-duplicate", "epoll-child", "signals", "duplicate", "child-listens",
    "child-binds", "parent-binds", "helper-binds", "thread-binds", "thread-alone", "dials", "overlaps",
    "workers-differ", "workers", "options", "errors", "again", "shuts-down", "mptcp", "wildcards", "looks-first",
    "dual",
)  # fmt: skip
HOSTS = {"v6": "::1", "local": "fd00::1", "global": "2001:db8::5", "other": "10.77.0.1", "v6-wildcard": "::1"}
ADDRESSES = ("plain", "wildcard", "v6", "dual", "v6-wildcard", "mapped", "local", "global", "other")
# Where a queue cannot move and the socket cannot be replaced, those that waited since the crash are reset.
MAY_LOSE = {"signals", "epoll-child", "child-listens", "child-binds", "helper-binds", "workers", "workers-differ"}


LOOKS = {"looks-first"}  # whether its port is free: not while another process of its service listens
ROUNDS = int(os.environ.get("THIEVES_ROUNDS", "2"))


@pytest.fixture(params=["bpf", "sysctl", "swap"])
def how(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each way in which a queue gets to the next process, in a network namespace of its own."""
    with own_network(moves=request.param == "sysctl"):
        yield request.param


# The same ways, of which every run tries some.
HOW = ("bpf", "sysctl", "swap")
one_and_long_others = pytest.mark.parametrize("how", only(["bpf"], HOW), indirect=True)


def stack_of(stack: Make, how: str, ways: tuple[str, ...], **more: Any) -> Live:
    """One service a way, named like it; of root for `bpf`, of an ordinary user for the others."""
    live = stack({})
    python = sys.executable if how == "bpf" else python_of_nobody(live.env)
    ports = iter(free_pool(len(ways)))
    live.write({
        way: {"command": [python, str(PROGRAMS / "binds_oddly.py"), way], "pool": [next(ports)], "restart": "always",
              **AT_ONCE, **more}
        for way in ways
    })  # fmt: skip
    if how != "bpf":
        for path in (live.folder, live.folder.parent):
            os.chown(path, 65534, 65534)
        live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    return live


@contextlib.contextmanager
def up(live: Live) -> Iterator[None]:
    with live.foreground() as front:
        front.says("is up", within=60)
        yield
        front.send(signal.SIGTERM)
        assert front.ends() == 0
        os.chown(live.runtime, os.getuid(), os.getgid())


def kill(live: Live, name: str) -> None:
    """Ends the process of a service, and waits until it can accept nobody any more."""
    pid = live.rows()[name]["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid), every=0.001)
    eventually(lambda: live.rows()[name]["pid"] not in (pid, None) and live.rows()[name]["state"] == "running")


def asked_or_cut(port: int) -> str:
    """An answer; none where the queue of another address was dropped."""
    with contextlib.suppress(ConnectionError):
        return asked(port, "127.0.0.1")
    return ""


def asked(port: int, host: str) -> str:
    with socket.create_connection((host, port), 10) as connection:
        connection.settimeout(10)
        return connection.recv(64).decode().strip()


def sockets_of(pid: int) -> set[int]:
    """The inodes of all that a process has open."""
    targets = [os.readlink(each.path) for each in os.scandir(f"/proc/{pid}/fd")]
    return {int(target[8:-1]) for target in targets if target.startswith("socket:[")}


@one_and_long_others
def test_a_program_gets_its_socket_as_it_likes_in_every_life(stack: Make, how: str) -> None:
    """After the first bind, a crash, a restart and a rolling restart, and listens nowhere else."""
    live = stack_of(stack, how, WAYS)
    with up(live):
        ports = {name: row["port"] for name, row in live.rows().items()}
        lost: list[str] = []
        for name, port in ports.items():
            assert asked(port, "127.0.0.1").isdigit(), name
            with caller(port) as calls:
                kill(live, name)
                for rolling in (False,) if name in LOOKS else (False, True):
                    done = live.do("restart", name, rolling=rolling)
                    assert done[name]["ok"], f"{name}: {done}"
                answered = calls.answered
                eventually(lambda calls=calls, answered=answered: calls.answered > answered, within=15)  # type: ignore[misc]
            if (calls.refused, calls.late, calls.strange) != (0, 0, []):
                lost.append(f"{name}: {calls}")
            assert ways_in(port) == [], name
            row = live.rows()[name]
            assert (row["handoff"], row["port"]) == (how, port)
        may = {"bpf": set[str](), "sysctl": MAY_LOSE, "swap": MAY_LOSE}[how]
        assert [each for each in lost if each.partition(":")[0] not in may] == []
        assert set(live.log("errors").split("\n")) - {""} == {f"errors {' '.join([str(errno.EINVAL)] * 4)} 98 98"}
        assert set(live.log("options").split()) == {"kept"}
        assert set(live.log("dials").splitlines()) == {f"dialled from {ports['dials']}", "closed"}
        assert {each["event"] for each in live.journal("wrong port")} == set()
        assert live.journal("other port bound") == []


@pytest.mark.parametrize("how", only(["bpf", "swap"], HOW), indirect=True)
def test_a_successor_that_listens_at_a_second_address_late_has_all_its_clients(stack: Make, how: str) -> None:
    """They wait there at a socket of portsup's, of which nothing is left afterwards."""
    live = stack_of(stack, how, ("one-late",))
    with up(live):
        port = live.rows()["one-late"]["port"]
        rolling = live.popen("restart", "--rolling", "one-late")
        assert eventually((live.folder / f"asked-of-{port}").exists)
        with socket.create_connection(("::1", port), 10) as waits:
            (live.folder / f"go-of-{port}").touch()
            assert rolling.wait(30) == 0
            pid = live.rows()["one-late"]["pid"]
            waits.settimeout(10)
            assert waits.recv(64).decode().strip() == str(pid)
        for host in ("::1", "127.0.0.1"):
            assert {asked(port, host) for _ in range(20)} == {str(pid)}
        eventually(lambda: {each.inode for each in listening((port,))} <= sockets_of(pid))
        assert ways_in(port) == []


def workers_after(live: Live, before: int, count: int) -> list[int]:
    """The pids that the workers of `placeholder` have said, once there are so many more."""

    def look() -> list[int] | None:
        said = [int(line.split()[1]) for line in live.log("placeholder").splitlines()]
        return said if len(said) >= before + count else None

    return eventually(look, within=30)


@pytest.mark.parametrize("workers", only([1, 2], [1, 2, 4]))
@pytest.mark.parametrize("how", only(["bpf", "swap"], HOW), indirect=True)
def test_who_waits_is_for_those_that_listen_and_not_for_one_that_only_binds(
    stack: Make, how: str, workers: int
) -> None:
    """Through crashes, of all and of each worker, a restart, a rolling restart, and until a stop."""
    live = stack_of(stack, how, ("placeholder",), environment={"WORKERS": str(workers)})
    with up(live):
        port, said = live.rows()["placeholder"]["port"], 0
        with caller(port) as calls, caller(port) as others:
            for act in ("start", "crash", "crash", "roll", "restart"):
                if act == "crash":
                    kill(live, "placeholder")
                elif act != "start":
                    assert live.do("restart", "placeholder", rolling=act == "roll")["placeholder"]["ok"]
                said = len(now := workers_after(live, said, workers))
                for pid in now[-workers:]:
                    os.kill(pid, signal.SIGKILL)
                    said = len(workers_after(live, said, 1))
                answered, of_others = calls.answered, others.answered
                eventually(lambda: calls.answered > answered + 5 and others.answered > of_others + 5, within=15)  # noqa: B023
            assert (calls.refused, others.refused) == (0, 0)
            live.do("stop", "placeholder")
        assert (calls.late, calls.strange, others.late, others.strange) == (0, [], 0, [])
        assert ways_in(port) == []


@one_and_long_others
def test_what_one_process_does_to_its_socket_the_next_one_does_not_feel(stack: Make, how: str) -> None:
    live = stack_of(stack, how, ("deaf-once",))
    with up(live):
        port = live.rows()["deaf-once"]["port"]
        kill(live, "deaf-once")
        assert asked(port, "127.0.0.1").isdigit()


@pytest.mark.parametrize("how", only(["bpf", "sysctl"], HOW), indirect=True)
def test_a_worker_that_closes_its_listener_keeps_no_clients(stack: Make, how: str) -> None:
    """Who came to it after it had closed goes to the others, where the queue can move."""
    live = stack_of(stack, how, ("worker-closes",))
    with up(live):
        port = live.rows()["worker-closes"]["port"]
        with caller(port) as calls:
            eventually(lambda: live.log("worker-closes"))
            answered = calls.answered
            eventually(lambda: calls.answered > answered + 100)
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert how == "swap" or calls.cut == 0
        kill(live, "worker-closes")
        assert asked(port, "127.0.0.1").isdigit()


@pytest.mark.parametrize("how", only(["bpf", "swap"], HOW), indirect=True)
def test_a_program_that_listens_at_another_address_leaves_nothing_at_the_old_one(stack: Make, how: str) -> None:
    live = stack_of(stack, how, ("moves-house",))
    with up(live):
        port = live.rows()["moves-house"]["port"]
        for address in ("0.0.0.0", "127.0.0.1", "0.0.0.0"):
            kill(live, "moves-house")
            assert eventually(lambda: asked_or_cut(port)) == str(live.rows()["moves-house"]["pid"])
            eventually(lambda address=address: [each.address for each in listening((port,))] == [address])  # type: ignore[misc]
            assert asked(port, "127.0.0.1") == str(live.rows()["moves-house"]["pid"])
        assert ways_in(port) == []


@pytest.mark.parametrize("by", ["user", "same"])
@one_and_long_others
def test_nobody_slips_in_beneath_any_address(stack: Make, how: str, by: str) -> None:
    """While services stop and start again and again; others of the same ordinary user may, and are found out."""
    ways = tuple(way for way in ADDRESSES if how != "swap" or way != "dual")
    live = stack_of(stack, how, ways)
    who = (65533 if by == "user" else 65534) if how != "bpf" else (65533 if by == "user" else 0)
    with up(live):
        ports = {name: row["port"] for name, row in live.rows().items()}
        with thief(list(ports.values()), user=who) as loot:
            for _ in range(ROUNDS):
                live.do("stop", *ways)
                live.do("start", *ways)
                for name in ways:
                    kill(live, name)
        if how == "bpf" or by == "user":
            assert (loot.won, {name: row["port"] for name, row in live.rows().items()}) == ({}, ports)
        for name, row in live.rows().items():
            assert asked(row["port"], HOSTS.get(name, "127.0.0.1")).isdigit(), name


@pytest.mark.parametrize("mode", ["report", "strict"])
def test_a_listen_without_a_bind_is_told_or_refused(stack: Make, mode: str) -> None:
    command = ["python3", str(PROGRAMS / "binds_oddly.py"), "unbound"]
    live = stack({"web": {"command": command, "pool": list(free_pool(1)), "bind": mode}})
    with live.up():
        said = eventually(lambda: live.log("web")).split()
        if mode == "strict":
            assert said == ["unbound", str(errno.EACCES)]
            assert live.journal("bind refused")
        else:
            (told,) = eventually(lambda: live.journal("other port bound"))
            assert said == ["unbound", str(told["port"])]
