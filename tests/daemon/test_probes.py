"""Questions that are not waited for any longer."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.config.spec import HttpAsk, Probe, ProbeKind
from supervisor.core.reasons import HttpAnswer
from supervisor.daemon.checks import probes
from supervisor.daemon.checks.probes import AT_ONCE, MOST_OF_AN_ANSWER, Asker, ask
from supervisor.daemon.processes import errands
from supervisor.process import tree
from supervisor.words.reasons import text_of

SLOW = Probe(ProbeKind.EXEC, command=("slow",))


class Reaper:
    """Of one child, which is there or was reaped already."""

    def __init__(self, is_there: bool) -> None:
        self._is_there = is_there

    def watch(self, pid: int, on_exit: Callable[[int], None]) -> None: ...

    def others(self, pid: int) -> set[int]:
        return set()

    def is_watched(self, pid: int) -> bool:
        return self._is_there


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The main processes whose trees were killed, and none of them was ours to kill."""
    mains: list[int] = []

    def kill(its: tree.Tree) -> set[int]:
        mains.append(its.main)
        return set()

    monkeypatch.setattr(tree, "kill", kill)
    monkeypatch.setattr(errands, "spawn", lambda _: 7)
    return mains


async def cancelled(is_there: bool) -> bool:
    """Whether a question that is cancelled ends."""
    reaper: Any = Reaper(is_there)
    asker = Asker(None, "/", {}, errands.Errands(asyncio.get_running_loop(), reaper, "", lambda: "1"))
    task = asyncio.ensure_future(ask(SLOW, asker, 60.0))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    return task.cancelled()


def test_the_command_of_a_question_ends_with_it_and_the_question_whatever_becomes_of_that(killed: list[int]) -> None:
    assert asyncio.run(cancelled(True))
    assert killed == [7]


def test_a_command_that_has_ended_is_not_killed_in_the_person_of_a_stranger(killed: list[int]) -> None:
    assert asyncio.run(cancelled(False))
    assert killed == []


class Children:
    """Reaps those whom a worker starts."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    def watch(self, pid: int, on_exit: Callable[[int], None]) -> None:
        self.pids.append(pid)


async def verdict(body: bytes, how: HttpAsk) -> str:
    """What a probe thinks of a server with this body; every child is reaped."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    children: Any = Children()
    work = errands.Errands(asyncio.get_running_loop(), children, "", lambda: "1")
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await ask(Probe(ProbeKind.HTTP, "/", ask=how), Asker(port, "/", {}, work), 60.0)
    work.close()
    for pid in children.pids:
        os.waitpid(pid, 0)
    return text_of(found)


@pytest.mark.live
def test_a_long_answer_is_looked_through_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "http_verdict", lambda *_: HttpAnswer("status", os.getpid()))
    here = f"GET / answered {os.getpid()}"
    long = b"a" * (MOST_OF_AN_ANSWER - 100)
    assert asyncio.run(verdict(b"a", HttpAsk(matches="a"))) == here
    assert asyncio.run(verdict(long, HttpAsk())) == here
    assert len(long) > AT_ONCE
    for how in (HttpAsk(matches="a"), HttpAsk(contains="a")):
        assert asyncio.run(verdict(long, how)) not in (here, "")


@pytest.mark.live
def test_a_long_answer_is_judged_as_a_short_one() -> None:
    long = b"a" * (MOST_OF_AN_ANSWER - 100)
    slow = "GET / answered 200, and `(?:a|b)*x` takes too long on its body: use a simpler expression"
    assert asyncio.run(verdict(long, HttpAsk(matches="(?:a|b)*x"))) == slow
    assert asyncio.run(verdict(long, HttpAsk(matches="a{5000}"))) == ""
    assert asyncio.run(verdict(long, HttpAsk(contains="b"))) == "GET / answered 200 without `b` in it"


@pytest.mark.live
def test_an_answer_that_nobody_can_look_through_is_not_good(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError

    monkeypatch.setattr(os, "fork", refuse)
    found = asyncio.run(verdict(b"a" * 2 * AT_ONCE, HttpAsk(contains="a")))
    assert found == "GET / answered, but portsup could not search the answer in time"
