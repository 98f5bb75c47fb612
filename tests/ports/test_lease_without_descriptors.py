"""A lease where nothing is left to watch its locks with."""

import asyncio
import threading
from pathlib import Path

import pytest

from supervisor import PortPool
from supervisor.errors import PortsupError
from tests.support.exhausted import no_descriptor_left
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

NO_WATCH = r"cannot keep port \d+ of `sandra`: .*too many open files"


def test_a_block_that_cannot_watch_its_locks_is_not_entered_and_gives_its_port_back() -> None:
    (port,) = free_pool(1)
    threads = threading.active_count()
    lease = PortPool("sandra", [port]).acquire()
    with no_descriptor_left(), pytest.raises(PortsupError, match=NO_WATCH) as raised, lease:
        pass
    assert "ulimit -n" in (raised.value.hint or "")
    assert threading.active_count() == threads
    with PortPool("sandra", [port]).acquire() as again:
        assert again.port == port


def test_no_thread_is_no_watch_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    (port,) = free_pool(1)
    monkeypatch.setattr(threading.Thread, "start", start)
    pool, numbers = PortPool("sandra", [port]), set[int]()
    for _ in range(3):
        with pytest.raises(PortsupError, match="can't start new thread"), pool.acquire():
            pass
        numbers.add(len(list(Path("/proc/self/fd").iterdir())))
    assert len(numbers) == 1


def test_a_loop_that_cannot_watch_gives_the_port_back(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_pool(1)

    async def serve() -> None:
        def refuse(*_: object) -> None:
            raise OSError(28, "No space left on device")  # too many watches, epoll_ctl(2)

        monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
        async with PortPool("sandra", [port]).acquire():
            pass

    with pytest.raises(PortsupError, match="cannot keep port"):
        asyncio.run(serve())
    with PortPool("sandra", [port]).acquire() as again:
        assert again.port == port
