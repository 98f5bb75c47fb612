"""Pools, locks and instances in a Python server of one's own, without the daemon."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import supervisor
from supervisor import Instance, PortLock, PortPool, Shield
from supervisor.api.stack import Stack
from supervisor.errors import InstanceTaken, LockLost, PoolExhausted, PortsupError, UsageError
from supervisor.ports.runtime import RuntimeDir
from tests.ports.conftest import Stranger
from tests.support.eventually import eventually
from tests.support.ports import free_pool, free_port
from tests.support.thief import thief, ways_in

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]


def connect(port: int, host: str = "127.0.0.1") -> None:
    socket.create_connection((host, port), 2).close()


def lose(lease_port: int) -> None:
    os.unlink(RuntimeDir.find().port_lock(lease_port))


def test_a_lease_has_a_port_and_a_socket_that_listens() -> None:
    pool = free_pool(2)
    with PortPool("sandra", pool).acquire() as lease:
        assert lease.port == pool[0]
        assert lease.socket.getsockname() == ("127.0.0.1", pool[0])
        connect(lease.port)
        assert ways_in(pool[0]) == []
        assert ways_in(pool[1])
        lease.check()
    assert ways_in(pool[0])


def test_the_next_copy_gets_the_next_port_and_knows_why() -> None:
    pool = free_pool(2)
    with PortPool("sandra", pool).acquire() as first, PortPool("sandra", pool).acquire() as second:
        assert (first.port, second.port) == pool
        assert second.skipped == ((pool[0], f"leased to `sandra` (pid {os.getpid()})"),)
        with pytest.raises(PoolExhausted) as caught:
            PortPool("sandra", pool).acquire()
        assert [port for port, _ in caught.value.reasons] == list(pool)


def test_spares_are_held_when_asked_for() -> None:
    pool = free_pool(3)
    with PortPool("sandra", pool, spares=True).acquire() as lease:
        assert lease.port == pool[0]
        assert [ways_in(port) for port in pool] == [[], [], []]


def test_a_stranger_on_the_first_port_is_passed(stranger: Stranger) -> None:
    pool = free_pool(2)
    process = stranger(pool[0])
    with PortPool("sandra", pool).acquire() as lease:
        assert lease.port == pool[1]
        assert f"(pid {process.pid}, " in lease.skipped[0][1]


def test_a_thief_never_gets_the_port_of_a_lease() -> None:
    pool = free_pool(1)
    with PortPool("sandra", pool).acquire() as lease, thief(pool) as loot:
        for _ in range(50):
            connect(lease.port)
            lease.socket.accept()[0].close()
    assert loot.won == {}


def test_a_server_that_was_restarted_gets_its_port_at_once() -> None:
    pool = free_pool(1)
    for _ in range(3):
        with PortPool("sandra", pool).acquire() as lease, socket.create_connection(("127.0.0.1", lease.port), 2):
            lease.socket.accept()[0].close()  # our side is in TIME_WAIT


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "::"])
def test_it_listens_on_the_host_asked_for(host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with PortPool("sandra", free_pool(1), host=host).acquire() as lease:
        connect(lease.port, "::1" if ":" in host else "127.0.0.1")
        assert ways_in(lease.port) == []


@pytest.mark.parametrize(
    ("host", "why"), [("192.0.2.1", "Cannot assign requested address"), ("no such host", "Name or service not known")]
)
def test_a_host_that_is_not_ours_is_an_error_and_gives_the_port_back(host: str, why: str) -> None:
    port = free_port()
    with pytest.raises(PortsupError) as caught:
        PortPool("sandra", [port], host=host).acquire()
    assert caught.value.what == f"cannot listen on `{host}`"
    assert ways_in(port)


@pytest.mark.parametrize("ports", [[], [6000, 6000], [0], [70000]])
def test_ports_that_can_not_be_are_refused(ports: list[int]) -> None:
    with pytest.raises(UsageError, match="different ports"):
        PortPool("sandra", ports)


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "x" * 64, "-x"])
def test_names_that_can_not_be_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot use the name"):
        PortPool(name, [6000])


def test_a_lost_lock_calls_on_lost() -> None:
    told: list[LockLost] = []
    with PortPool("sandra", free_pool(1), on_lost=told.append).acquire() as lease:
        lose(lease.port)
        eventually(lambda: told, within=2)
        with pytest.raises(LockLost):
            lease.check()
    assert str(told[0]).startswith(f"cannot keep port {lease.port} of `sandra`: the lock file ")


def test_a_lost_lock_interrupts_a_main_thread_that_waits() -> None:
    pool = free_pool(1)

    def serve() -> None:
        with PortPool("sandra", pool).acquire() as lease:
            lose(lease.port)
            lease.socket.accept()  # nobody connects: only the interruption ends this

    with pytest.raises(LockLost, match="was deleted"):
        serve()
    assert ways_in(pool[0])


def test_a_lost_lock_ends_accepting_in_other_threads() -> None:
    seen: list[BaseException] = []

    def serve() -> None:
        try:
            with PortPool("sandra", free_pool(1)).acquire() as lease:
                lose(lease.port)
                lease.socket.accept()
        except BaseException as error:
            seen.append(error)

    server = threading.Thread(target=serve)
    server.start()
    server.join(5)
    assert [type(error) for error in seen] == [LockLost]


def test_other_errors_of_the_block_come_through() -> None:
    with pytest.raises(ValueError, match="mine"), PortPool("sandra", free_pool(1)).acquire():
        raise ValueError("mine")


def test_a_lease_without_a_block_is_checked_and_released_by_hand() -> None:
    lease = PortPool("sandra", free_pool(1)).acquire()
    lease.check()
    lose(lease.port)
    with pytest.raises(LockLost):
        lease.check()
    lease.release()
    lease.release()
    assert ways_in(lease.port)


def test_a_forked_child_that_leaves_the_block_takes_nothing_away() -> None:
    with PortPool("sandra", free_pool(1)).acquire() as lease:
        pid = os.fork()
        if pid == 0:
            lease.__exit__(None, None, None)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        lease.check()
        connect(lease.port)
        assert ways_in(lease.port) == []


def test_an_async_block_serves() -> None:
    async def scenario() -> None:
        async with PortPool("sandra", free_pool(1)).acquire() as lease:
            server = await asyncio.start_server(lambda _, writer: writer.close(), sock=lease.socket)
            async with server:
                reader, writer = await asyncio.open_connection("127.0.0.1", lease.port)
                assert await reader.read() == b""
                writer.close()

    asyncio.run(scenario())


def test_small_answers_of_an_asyncio_server_do_not_wait_for_an_acknowledgement() -> None:
    async def serve() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            theirs = writer.get_extra_info("socket")
            found.set_result(theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with PortPool("web", free_pool(1)).acquire() as lease:
            server = await asyncio.start_server(look, sock=lease.socket)
            async with server:
                _, writer = await asyncio.open_connection("127.0.0.1", lease.port)
                try:
                    return await asyncio.wait_for(found, 20)
                finally:
                    writer.close()

    assert asyncio.run(serve()) == 1


def test_a_lost_lock_cancels_an_async_block() -> None:
    async def scenario() -> None:
        async with PortPool("sandra", free_pool(1)).acquire() as lease:
            lose(lease.port)
            await asyncio.sleep(30)

    with pytest.raises(LockLost, match="was deleted"):
        asyncio.run(asyncio.wait_for(scenario(), 5))


@pytest.mark.parametrize("is_coroutine", [True, False])
def test_a_lost_lock_calls_on_lost_in_the_loop(is_coroutine: bool) -> None:
    async def scenario() -> None:
        told: asyncio.Future[LockLost] = asyncio.get_running_loop().create_future()

        async def later(lost: LockLost) -> None:
            told.set_result(lost)

        on_lost: Callable[[LockLost], object] = later if is_coroutine else told.set_result
        async with PortPool("sandra", free_pool(1), on_lost=on_lost).acquire() as lease:
            lose(lease.port)
            lost = await asyncio.wait_for(told, 5)
            assert lease.lost is lost

    asyncio.run(scenario())


def test_an_async_block_that_others_cancel_stays_cancelled() -> None:
    async def scenario() -> None:
        async with PortPool("sandra", free_pool(1)).acquire():
            await asyncio.sleep(30)

    async def run() -> None:
        task = asyncio.create_task(scenario())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_copies_of_a_program_are_instances_with_ports_of_their_own() -> None:
    pools = {"web": free_pool(2), "api": free_pool(1)}
    stride = 10000
    with Instance("shop", pools, stride=stride) as first, Instance("shop", pools, stride=stride) as second:
        assert (first.number, second.number) == (1, 2)
        assert second.ports("api") == (pools["api"][0] + stride,)
        with first.pool("web").acquire() as lease:
            assert lease.port == pools["web"][0]
            with pytest.raises(PoolExhausted, match="leased to `web` of stack `shop` instance 1"):
                PortPool("other", [lease.port]).acquire()
        with pytest.raises(InstanceTaken):
            Instance("shop", pools, stride=stride, wanted=1).take()


def test_a_lost_instance_number_ends_its_leases() -> None:
    def serve() -> None:
        with Instance("shop", {"web": free_pool(1)}) as instance, instance.pool("web").acquire() as lease:
            os.unlink(RuntimeDir.find().instance_lock("shop", 1))
            lease.socket.accept()

    with pytest.raises(LockLost, match="cannot keep the instance number of `web`"):
        serve()


def test_the_package_loads_its_library_only_when_it_is_used() -> None:
    code = "import sys, supervisor; print(sum(name.startswith('supervisor.') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.stdout == "0\n"
    assert [getattr(supervisor, name) for name in supervisor.__all__] == [Instance, PortLock, PortPool, Shield, Stack]
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        _ = supervisor.nothing
