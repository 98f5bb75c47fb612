"""Clients that wait for a worker that dies, where no queue moves: portsup leads them to another one.

More than 300 lines: one story, told with one service.
"""

import contextlib
import hashlib
import os
import signal
import socket
from collections.abc import Iterator, Sequence

import pytest

from supervisor import system
from supervisor.daemon.handoff.looks import open_inodes
from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import Live, is_alive, parent_of
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.live.test_own_sockets import HOW, up
from tests.live.test_own_sockets import how as how
from tests.live.test_rolling import begin_roll
from tests.support.caller import Calls, again_and_again
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import only
from tests.support.running import PROGRAMS

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

NOBODY = 65534  # whom the services run as, but for `bpf`
WORKERS = 4
MANY = 40  # clients: with four workers each has some of them, but for once in 50,000 times
in_every_way = pytest.mark.parametrize("how", only(["swap"], HOW), indirect=True)
as_a_user = pytest.mark.parametrize("how", ["swap"], indirect=True)


class Crowd:
    """A service of several workers, in the network namespace of this test."""

    def __init__(self, live: Live, port: int, user: int) -> None:
        self.live, self.port, self.user = live, port, user

    def workers(self, but: Sequence[int] = ()) -> list[int]:
        """The workers that are there and have listened."""
        told = [int(line) for line in self.live.log("web").split() if line.isdigit()]
        return [pid for pid in told if pid not in but and is_alive(pid)]

    def call(self, wants: str = "pid", host: str = "127.0.0.1", user: int | None = None) -> socket.socket:
        """A client of the same user as the service, or another one, that has said what it wants."""
        client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        os.fchown(client.fileno(), self.user if user is None else user, -1)
        client.settimeout(20)
        client.connect((host, self.port))
        client.sendall(wants.encode() + b"\n")
        return client

    @contextlib.contextmanager
    def caller(self, host: str) -> Iterator[Calls]:
        """Calls for the length of the block."""

        def act(calls: Calls) -> None:
            try:
                said = answer(self.call(host=host))
                calls.answered, calls.cut = calls.answered + said.isdigit(), calls.cut + (said == "cut off")
            except ConnectionRefusedError:
                calls.refused += 1
            except ConnectionError:
                calls.cut += 1
            except TimeoutError:
                calls.late += 1

        with again_and_again(act) as calls:
            yield calls

    def stop_all(self) -> list[int]:
        """No worker accepts anybody until it gets SIGCONT."""
        pids = self.workers()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            eventually(lambda pid=pid: state_of(pid) == "T", every=0.001)  # type: ignore[misc]
        return pids

    def events(self, name: str) -> list[dict[str, object]]:
        return self.live.journal(name)

    def relayed(self) -> int:
        return sum(int(str(each["count"])) for each in self.events("queue relayed"))


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def kill(*pids: int) -> None:
    """SIGKILL to all; portsup may have been first, as it ends what a main process leaves."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def go_on(pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def answer(client: socket.socket, wanted: str = "pid") -> str:
    """What it gets; `cut off` if that is a reset, or nothing; of a flood how much."""
    said = b""
    try:
        while data := client.recv(1 << 16):
            said += data
    except ConnectionError:
        said = b""
    client.close()
    return str(len(said)) if wanted == "flood" else said.decode().strip() or "cut off"


@contextlib.contextmanager
def crowd(stack: Make, how: str, address: str = "127.0.0.1", *, again: bool = True, **more: object) -> Iterator[Crowd]:
    live = stack({})
    (port,) = free_pool(1)
    command = [python_of_nobody(live.env), str(PROGRAMS / "crowded_workers.py"), address, *(["again"] if again else [])]
    service = {"command": command, "pool": [port], "restart": "always", "environment": {"WORKERS": WORKERS}, **AT_ONCE}
    live.write({"web": {**service, **more}})
    if "ready" in more:
        (live.folder / "go").touch()
    if how != "bpf":
        for path in (live.folder, live.folder.parent):
            os.chown(path, NOBODY, NOBODY)
        live.command = lambda *words: [*AS_NOBODY, command[0], "-m", "supervisor", *words]  # type: ignore[method-assign]
    with up(live):
        live.until("web", state="running", handoff=how)
        found = Crowd(live, port, 0 if how == "bpf" else NOBODY)
        eventually(lambda: len(found.workers()) == WORKERS, within=30)
        try:
            yield found
        finally:
            go_on(found.workers())


HOSTS = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}


@in_every_way
@pytest.mark.parametrize("address", only(["127.0.0.1", "::"], ["127.0.0.1", "0.0.0.0", "::1", "::"]))
def test_who_waits_for_a_worker_that_dies_gets_to_another_one(stack: Make, how: str, address: str) -> None:
    with crowd(stack, how, address, again=False) as web:
        pids = web.stop_all()
        clients = [web.call(host=HOSTS.get(address, address)) for _ in range(MANY)]
        kill(pids[1])
        go_on(pids)
        answers = [answer(client) for client in clients]
        assert set(answers) <= {str(pid) for pid in pids if pid != pids[1]}
        if how == "swap":
            assert eventually(web.relayed)
        assert web.events("queue dropped") == []


@in_every_way
@pytest.mark.parametrize("address", only(["127.0.0.1"], ["127.0.0.1", "::1", "::"]))
def test_who_waits_when_all_die_gets_to_the_next_ones(stack: Make, how: str, address: str) -> None:
    with crowd(stack, how, address) as web:
        pids = web.stop_all()
        clients = [web.call(host=HOSTS.get(address, address)) for _ in range(MANY)]
        kill(web.live.rows()["web"]["pid"], *pids)
        answers = [answer(client) for client in clients]
        eventually(lambda: set(answers) <= set(map(str, web.workers(but=pids))))


@in_every_way
@pytest.mark.parametrize("which", ["old", "new"])
def test_who_waits_when_a_process_crashes_in_a_rolling_restart_gets_to_the_other(
    stack: Make, how: str, which: str
) -> None:
    with crowd(stack, how, ready={"exec": ["test", "-e", "go"]}) as web:
        old = web.workers()
        (web.live.folder / "go").unlink()
        row = begin_roll(web.live)
        eventually(lambda: len(web.workers()) == 2 * WORKERS)
        pids = web.stop_all()
        clients = [web.call() for _ in range(2 * MANY)]
        dead = [pid for pid in pids if (pid in old) is (which == "old")]
        kill(row["pid"] if which == "old" else row["beside"]["pid"], *dead)
        go_on(pids)
        answers = [answer(client) for client in clients]
        (web.live.folder / "go").touch()
        eventually(lambda: set(answers) <= set(map(str, web.workers(but=dead))))
        web.live.until("web", state="running")


@as_a_user
def test_nobody_is_cut_off_by_a_restart_of_workers_at_a_dual_stack_address(stack: Make, how: str) -> None:
    with crowd(stack, how, "::") as web:
        before = web.workers()
        with contextlib.ExitStack() as calling:
            callers = [calling.enter_context(web.caller(host)) for host in ("127.0.0.1", "::1") for _ in range(2)]
            assert web.live.do("restart", "web")["web"]["ok"]
            answered = [calls.answered for calls in callers]
            eventually(lambda: all(calls.answered > old for calls, old in zip(callers, answered, strict=True)))
        assert {(calls.refused, calls.late, tuple(calls.strange)) for calls in callers} == {(0, 0, ())}
        assert sum(calls.cut for calls in callers) == 0
        assert not set(before) & set(web.workers())


@as_a_user
@pytest.mark.parametrize("host", only(["127.0.0.1"], ["127.0.0.1", "127.0.0.9", "::1"]))
def test_what_is_said_is_passed_on_byte_for_byte_and_so_is_the_end(stack: Make, how: str, host: str) -> None:
    """10 MB from a client that says no more then, 10 MB to another one, and the address of a third."""
    with crowd(stack, how, "::", again=False) as web:
        pids = web.stop_all()
        data = os.urandom(1 << 20) * 10
        sums, floods, peers = ([web.call(wants, host) for _ in range(10)] for wants in ("sum", "flood", "peer"))
        done = web.call("sum", host)
        done.shutdown(socket.SHUT_WR)  # before anybody has read what it has said
        kill(pids[0], pids[2])
        eventually(web.relayed)
        go_on(pids)
        for client in sums:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            assert answer(client).split()[:2] == [str(len(data)), hashlib.sha256(data).hexdigest()]
        assert answer(done).split()[:2] == ["0", hashlib.sha256(b"").hexdigest()]
        for client in floods:
            assert answer(client, "flood") == "10000000"
        assert {answer(client) for client in peers} == {"::1" if host == "::1" else "::ffff:127.0.0.1"}


@as_a_user
def test_a_reset_is_passed_on_in_both_directions(stack: Make, how: str) -> None:
    with crowd(stack, how, again=False) as web:
        pids = web.stop_all()
        resets, held = [web.call("reset") for _ in range(20)], [web.call("hold") for _ in range(20)]
        kill(*pids[1:])
        eventually(lambda: web.relayed() > 20)
        go_on(pids)
        for client in resets:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        for client in held:
            assert client.recv(64)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        eventually(lambda: web.live.log("web").count("held until a reset") == len(held))
        eventually(lambda: connections_of(parent_of(web.live.rows()["web"]["pid"]), web.port) == 0)


def connections_of(pid: int, port: int) -> int:
    """How many connections to a port a process has accepted."""
    return len(open_inodes([each.inode for each in system.connections_on(port) if each.inode], (pid,)))


@as_a_user
@pytest.mark.parametrize(("host", "user"), [("127.0.0.1", 65533), ("127.0.0.1", 0), ("10.77.0.1", None)])
def test_nobody_is_taken_for_somebody_else(stack: Make, how: str, host: str, user: int | None) -> None:
    """A client of another user, and one from an address of a network, are reset as without portsup."""
    with crowd(stack, how, "0.0.0.0", again=False) as web:
        pids = web.stop_all()
        clients = [web.call("peer", host, user) for _ in range(MANY)]
        kill(pids[1])
        (told,) = eventually(lambda: web.events("queue dropped"))
        go_on(pids)
        answers = [answer(client) for client in clients]
        cut = answers.count("cut off")
        assert 0 < cut < MANY
        assert str(told["why"]).startswith(f"{cut} client")
        assert set(answers) == {host, "cut off"}
        assert web.relayed() == 0


@as_a_user
def test_a_stop_ends_relayed_connections_and_those_of_clients_that_say_nothing(stack: Make, how: str) -> None:
    with crowd(stack, how, again=False, stop_grace_period="1s") as web:
        pids = web.stop_all()
        held = [web.call("hold") for _ in range(MANY)]
        kill(*pids[1:])
        eventually(web.relayed)
        go_on(pids)
        for client in held:
            assert client.recv(64).decode().strip() == str(pids[0])
        daemon = parent_of(web.live.rows()["web"]["pid"])
        assert connections_of(daemon, web.port)
        assert web.live.do("stop", "web")["web"]["ok"]
        for client in held:
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(64) == b""
        eventually(lambda: connections_of(daemon, web.port) == 0)


@in_every_way
def test_who_comes_to_a_worker_that_closed_its_socket_and_lives_on_gets_to_another_one(stack: Make, how: str) -> None:
    with crowd(stack, how, again=False) as web:
        deaf = {int(answer(web.call("deaf"))) for _ in range(1)}
        for _ in range(5):
            clients = [web.call() for _ in range(MANY)]
            answers = {answer(client) for client in clients}
            assert answers <= {str(pid) for pid in web.workers() if pid not in deaf}
        assert set(web.workers()) > deaf


@as_a_user
def test_who_is_led_on_is_connected_and_keeps_the_service_from_being_stopped(stack: Make, how: str) -> None:
    with crowd(stack, how, again=False, idle_stop="1s", idle_min_up="0s") as web:
        first = web.call("hold")  # from now on somebody is there
        stays = int(first.recv(64))
        eventually(lambda: len(web.workers()) == WORKERS)
        pids = web.stop_all()
        held = [web.call("hold") for _ in range(MANY)]
        kill(*[pid for pid in pids if pid != stays])
        eventually(web.relayed)
        go_on(pids)
        assert {client.recv(64).decode().strip() for client in held} == {str(stays)}
        direct = {
            each.peer_port for each in system.connections_on(web.port) if open_inodes((each.inode,), (stays,))
        }  # fmt: skip
        led = [client for client in held if client.getsockname()[1] not in direct]
        assert 0 < len(led) < MANY
        for client in (first, *held):
            if client not in led:
                client.close()
        with pytest.raises(AssertionError):
            eventually(lambda: web.live.rows()["web"]["state"] != "running", within=3)
        for client in led:
            client.close()
        web.live.until("web", state="idle")
        assert not is_alive(stays)
