"""Who has a port that we cannot have, in words."""

import errno
import math
import os
import socket
import subprocess
import sys

import pytest

from supervisor import system
from supervisor.ports import holders
from supervisor.ports.holders import RUN_ID, ConflictKind, Holder, who_holds
from supervisor.ports.leases import ChosenPort
from supervisor.ports.record import Record
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Identity, Listener
from tests.live.stack import is_alive
from tests.ports.conftest import MakeLease, Stranger
from tests.support.eventually import eventually
from tests.support.ports import free_pool

pytestmark = pytest.mark.live


def test_another_instance_is_named_with_service_and_number(lease: MakeLease) -> None:
    pool = free_pool(2)
    lease(pool[:1], service="web", instance=2).choose({}, now=0.0)
    chosen = lease(pool, service="api").choose({}, now=0.0)
    assert isinstance(chosen, ChosenPort)
    ((_, holder),) = chosen.skipped
    assert str(holder) == f"leased to `web` of stack `shop` instance 2 (pid {os.getpid()})"
    assert isinstance(holder, Holder)
    assert (holder.kind, holder.stack, holder.instance, holder.service, holder.run_id) == (
        ConflictKind.OTHER_INSTANCE, "shop", 2, "web", "run-1",
    )  # fmt: skip


def test_a_bound_port_that_does_not_listen_is_named_too(lease: MakeLease, stranger: Stranger) -> None:
    pool = free_pool(2)
    process = stranger(pool[0], listens=False)
    chosen = lease(pool).choose({}, now=0.0)
    assert isinstance(chosen, ChosenPort)
    if not system.bound_only((pool[0],)):
        pytest.skip("the kernel tells of bound sockets since 6.8")
    user = system.process_user(process.pid)
    assert str(chosen.skipped[0][1]).endswith(f"(pid {process.pid}, user {user}), not listening")


def test_a_process_of_a_dead_run_is_an_orphan_of_our_own(
    lease: MakeLease, runtime: RuntimeDir, stranger: Stranger
) -> None:
    pool = free_pool(2)
    dead = Identity(os.getpid(), 1.0, "another boot")
    Record(pool[0], "shop", 1, "web", "dead-run", dead, 0.0).write(runtime.port_record(pool[0]))
    process = stranger(pool[0], **{RUN_ID: "dead-run"})
    web = lease(pool)
    chosen = web.choose({}, now=0.0)
    assert isinstance(chosen, ChosenPort)
    ((_, holder),) = chosen.skipped
    assert isinstance(holder, Holder)
    assert (holder.kind, holder.pid, holder.run_id) == (ConflictKind.OWN_ORPHAN, process.pid, "dead-run")
    assert holder.text.endswith(", left over from a portsup that was killed")
    assert web.orphans() == ("dead-run",)
    process.kill()
    process.wait()
    assert web.choose({}, now=0.0) == ChosenPort(pool[0])


def test_a_process_of_an_unknown_or_living_run_is_foreign(
    lease: MakeLease, runtime: RuntimeDir, stranger: Stranger
) -> None:
    pool = free_pool(2)
    lease(free_pool(1), service="api", run_id="alive-run").choose({}, now=0.0)
    stranger(pool[0], **{RUN_ID: "alive-run"})
    stranger(pool[1], **{RUN_ID: "never-heard-of"})
    kinds = [who_holds(port, runtime, errno.EADDRINUSE).kind for port in pool]
    assert kinds == [ConflictKind.FOREIGN, ConflictKind.FOREIGN]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_an_owner_we_may_not_look_into_is_said_to_be_so(runtime: RuntimeDir, stranger: Stranger) -> None:
    (port,) = free_pool(1)
    stranger(port)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setuid(12345)
        os.write(writing, who_holds(port, runtime, errno.EADDRINUSE).text.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with open(reading) as said:
        assert said.read() == "in use by a process of user root, owner not visible"


def test_closing_connections_without_a_process_are_ownerless(runtime: RuntimeDir) -> None:
    (port,) = free_pool(1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    holder = who_holds(port, runtime, errno.EADDRINUSE)
    assert (holder.kind, holder.text) == (
        ConflictKind.OWNERLESS, "connections of an earlier server are still closing",
    )  # fmt: skip


class Sockets:
    """One that listens and that nobody is seen to have, for so many looks; of another user if `is_ours` is not set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, looks: float, *, is_ours: bool) -> None:
        uid = os.geteuid() + (not is_ours)
        self.looks, self.seen = looks, Listener(8000, socket.AF_INET, "0.0.0.0", uid, inode=5, listening=True)
        monkeypatch.setattr(system, "sockets_on", self._look)
        monkeypatch.setattr(system, "bound_only", lambda _: [])
        monkeypatch.setattr(system, "owners_of", lambda *_: {})
        monkeypatch.setattr(holders, "CLOSED_WITHIN", 0.0)

    def _look(self, _: object) -> list[Listener]:
        self.looks -= 1
        return [self.seen] if self.looks >= 0 else []


def test_a_socket_of_our_user_that_nobody_is_seen_to_have_is_given_time(
    runtime: RuntimeDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process exits; on a busy machine the kernel closes its sockets later."""
    Sockets(monkeypatch, looks=9, is_ours=True)
    assert who_holds(8000, runtime, errno.EADDRINUSE).kind is ConflictKind.OWNERLESS


def test_a_socket_that_stays_is_of_somebody_who_is_not_seen(
    runtime: RuntimeDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "CLOSED_AT_LAST", 0.01)
    Sockets(monkeypatch, looks=math.inf, is_ours=True)
    assert who_holds(8000, runtime, errno.EADDRINUSE).kind is ConflictKind.FOREIGN


def test_another_user_is_not_waited_for(runtime: RuntimeDir, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = Sockets(monkeypatch, looks=2, is_ours=False)
    assert who_holds(8000, runtime, errno.EADDRINUSE).kind is ConflictKind.FOREIGN
    assert sockets.looks == 0


LARGE = """
import mmap, socket, sys, time
memory = mmap.mmap(-1, 300 << 20)
for at in range(0, len(memory), mmap.PAGESIZE):
    memory[at] = 1  # that much takes the kernel a while to give back, before it closes the sockets
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nobody else tells")
def test_a_process_that_exits_is_no_owner_any_more(runtime: RuntimeDir) -> None:
    """A restart of whoever has the port must not be driven to the next one, however long the end takes."""
    (port,) = free_pool(1)
    with subprocess.Popen([sys.executable, "-c", LARGE, str(port)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        assert who_holds(port, runtime, errno.EADDRINUSE).kind is ConflictKind.FOREIGN
        server.kill()
        eventually(lambda: system.is_ending(server.pid) or not is_alive(server.pid), every=0.0)
        kinds = {who_holds(port, runtime, errno.EADDRINUSE).kind}
        while is_alive(server.pid):
            kinds.add(who_holds(port, runtime, errno.EADDRINUSE).kind)
    assert kinds == {ConflictKind.OWNERLESS}


def test_a_privileged_port_and_a_refusal_by_policy_have_classes_of_their_own(runtime: RuntimeDir) -> None:
    privileged = who_holds(80, runtime, errno.EACCES)
    assert (privileged.kind, privileged.text) == (
        ConflictKind.OS_RESERVED, "reserved by the system (privileged port)",
    )  # fmt: skip
    assert who_holds(8080, runtime, errno.EACCES).kind is ConflictKind.NOT_PERMITTED
    assert who_holds(8080, runtime, errno.EPERM).kind is ConflictKind.NOT_PERMITTED
    assert who_holds(8080, runtime, 10013).kind is ConflictKind.OS_RESERVED
