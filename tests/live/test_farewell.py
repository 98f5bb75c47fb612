"""A process that is asked to end leaves nobody in its queue, whether another one follows or not."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import Live
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.live.test_own_sockets import how, up  # noqa: F401
from tests.support.caller import Calls, call, caller
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import PROGRAMS

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

CROWD = 6  # clients, more than a process accepts at once
TIMES = 2
ROUNDS = 50  # about when a service is to be stopped
each_address = pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
each_count = pytest.mark.parametrize("workers", [1, 4])


@pytest.fixture
def slow(stack: Make, how: str) -> Live:  # noqa: F811
    """A stack whose program takes a moment for each client; of an ordinary user where it is not `bpf`."""
    live = stack({})
    if how != "bpf":
        python = python_of_nobody(live.env)
        live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    return live


@contextlib.contextmanager
def served(live: Live, how: str, *arguments: str, workers: int = 1, **more: Any) -> Iterator[int]:  # noqa: F811
    """The port of the only service."""
    pool = list(free_pool(2))
    python = sys.executable if how == "bpf" else python_of_nobody(live.env)
    command = [python, str(PROGRAMS / "takes_turns.py"), *arguments]
    live.write({"web": {"command": command, "pool": pool, "environment": {"WORKERS": workers}, **AT_ONCE, **more}})
    if how != "bpf":
        for path in (live.folder, live.folder.parent):
            os.chown(path, 65534, 65534)
    with up(live):
        if "idle_stop" not in more:
            live.until("web", state="running", handoff=how)
        yield pool[0]


@contextlib.contextmanager
def crowd_at(port: int, host: str = "127.0.0.1") -> Iterator[list[Calls]]:
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(caller(port, host=host)) for _ in range(CROWD)]
        answers(crowd)
        yield crowd


def answers(crowd: list[Calls]) -> None:
    before = [each.answered for each in crowd]
    eventually(lambda: all(each.answered > old for each, old in zip(crowd, before, strict=True)))


def lost(crowd: list[Calls]) -> list[str]:
    return [f"{each}" for each in crowd if each.refused or each.cut or each.late or each.strange]


@each_address
@each_count
def test_no_client_notices_a_restart(slow: Live, how: str, workers: int, address: str) -> None:  # noqa: F811
    with served(slow, how, address, workers=workers) as port, crowd_at(port, address) as crowd:
        for rolling in (True, False) * TIMES:
            assert slow.do("restart", "web", rolling=rolling)["web"]["ok"]
            answers(crowd)
    # Where workers end at once, a queue may move to one that ends as well, unless a program chooses where it goes to.
    may_lose = int(workers > 1 and how == "sysctl")
    assert len(lost(crowd)) <= may_lose, lost(crowd)
    assert sum(each.cut for each in crowd) <= may_lose


@each_count
@pytest.mark.parametrize(("what", "address"), [("stop", "127.0.0.1"), ("rotate", "::1")])
def test_who_has_connected_before_a_stop_is_answered(
    slow: Live, how: str, workers: int, address: str, what: str  # noqa: F811
) -> None:
    """The others are refused, as ever."""
    with served(slow, how, address, workers=workers) as port:
        for is_last in (False, True):
            with crowd_at(port, address) as crowd:
                result = slow.rotate("web") if what == "rotate" else slow.do("stop", "web")["web"]
                assert result["ok"], result
                eventually(lambda crowd=crowd: all(each.refused for each in crowd))  # type: ignore[misc]
            assert [(each.cut, each.late, each.strange) for each in crowd] == [(0, 0, [])] * CROWD
            if is_last:
                break
            slow.do("stop", "web")
            slow.do("start", "web")
            assert slow.until("web", state="running")["port"] == port


def test_who_has_connected_before_a_rolling_restart_is_stopped_is_answered(slow: Live, how: str) -> None:  # noqa: F811
    """Also by the second process, which may begin to listen while the first one accepts those who wait."""
    with served(slow, how) as port:
        for _ in range(TIMES):
            with crowd_at(port) as crowd:
                before = len(slow.journal("roll begins"))
                rolling = threading.Thread(target=lambda: slow.do("restart", "web", rolling=True))
                rolling.start()
                eventually(lambda before=before: len(slow.journal("roll begins")) > before)  # type: ignore[misc]
                assert slow.do("stop", "web")["web"]["ok"]
                rolling.join(20)
                eventually(lambda crowd=crowd: all(each.refused for each in crowd))  # type: ignore[misc]
            assert [(each.cut, each.late, each.strange) for each in crowd] == [(0, 0, [])] * CROWD
            assert slow.do("start", "web")["web"]["ok"]


@pytest.mark.parametrize("workers", [1, pytest.param(4, marks=pytest.mark.long)])
def test_who_has_connected_before_all_replicas_stop_is_answered(slow: Live, how: str, workers: int) -> None:  # noqa: F811
    """Also by one that would have ended later than another one, which has fewer clients."""
    with served(slow, how, workers=workers, replicas=3) as port:
        for _ in range(TIMES):
            with crowd_at(port) as crowd:
                assert all(result["ok"] for result in slow.do("stop", "web").values())
                eventually(lambda crowd=crowd: all(each.refused for each in crowd))  # type: ignore[misc]
            assert [(each.cut, each.late, each.strange) for each in crowd] == [(0, 0, [])] * CROWD
            assert all(result["ok"] for result in slow.do("start", "web").values())


@pytest.mark.long
@pytest.mark.parametrize("how", ["bpf"], indirect=True)
@pytest.mark.parametrize(("workers", "address"), [(4, "127.0.0.1"), (1, "::1"), (4, "::1")])
def test_no_client_notices_that_a_service_is_stopped_for_want_of_clients(
    slow: Live, how: str, workers: int, address: str  # noqa: F811
) -> None:
    """Each of them comes about when it is to be stopped."""
    idle, calls, pids = 0.05, Calls(), set()
    with served(slow, how, address, workers=workers, idle_stop=f"{idle}s", idle_min_up="0s") as port:
        for number in range(ROUNDS):
            time.sleep(idle * (1 + number % 7 / 3))
            call(port, b"", address, calls)
            pids.add(slow.rows()["web"]["pid"])
    assert len(pids) > ROUNDS / 10
    assert lost([calls]) == []


@pytest.mark.parametrize("how", ["swap"], indirect=True)
def test_a_program_with_an_io_uring_that_waits_for_nothing_gets_who_has_waited(slow: Live, how: str) -> None:  # noqa: F811
    """As those of libuv and uvloop have."""
    with served(slow, how, "127.0.0.1", "ring") as port, crowd_at(port) as crowd:
        for _ in range(TIMES):
            assert slow.do("restart", "web")["web"]["ok"]
            answers(crowd)
    assert lost(crowd) == []
    assert slow.journal("queue dropped") == []
