"""The account of turns of the event loop that took long."""

import asyncio
import signal
import sys
import time

import pytest

from supervisor.control.status import LoopStatus
from supervisor.daemon.stalls import LONG, STALL, DaemonLoop, Stall, Stalls, doing, words


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.cpu = 5.0

    def work(self, seconds: float, cpu: float = 0.0) -> None:
        self.now += seconds
        self.cpu += cpu


def account() -> tuple[Clock, Stalls]:
    clock = Clock()
    return clock, Stalls(lambda: clock.now, lambda: clock.cpu)


def test_a_turn_is_named_by_what_took_longest_in_it() -> None:
    clock, stalls = account()
    stalls.turn_begins()
    stalls.begins("taking the output", "web")
    clock.work(0.01)
    stalls.begins("answering `status`", "")
    clock.work(0.02, cpu=0.015)
    stalls.begins("taking the output", "db")
    clock.work(0.015)
    stalls.turn_ends()
    assert stalls.longest is not None
    assert (round(stalls.longest.seconds, 6), round(stalls.longest.cpu, 6), words(stalls.longest)) == (
        0.045, 0.015, "answering `status`",
    )  # fmt: skip
    assert stalls.count == 0


def test_sleeping_is_no_stall() -> None:
    clock, stalls = account()
    for _ in range(3):
        stalls.turn_begins()
        clock.work(0.001)
        stalls.turn_ends()
        clock.work(60.0)
    assert stalls.longest is not None
    assert (stalls.count, round(stalls.longest.seconds, 6)) == (0, 0.001)


def test_stalls_are_counted_and_long_ones_told_whether_or_not_they_are_the_longest() -> None:
    clock, stalls = account()
    told: list[Stall] = []
    stalls.on_long = told.append
    for seconds in (STALL * 2, STALL / 2, LONG + 2, LONG * 2, STALL * 2):
        stalls.turn_begins()
        stalls.begins("taking the ports", "web")
        clock.work(seconds)
        stalls.turn_ends()
    assert stalls.count == 4
    assert [(round(each.seconds, 6), words(each)) for each in told] == [
        (LONG + 2, "taking the ports of `web`"), (LONG * 2, "taking the ports of `web`"),
    ]  # fmt: skip
    assert stalls.told() == LoopStatus(4, STALL, LONG + 2, 0.0, "taking the ports of `web`")


@pytest.mark.live
def test_a_loop_keeps_its_account_by_itself() -> None:
    async def main() -> DaemonLoop:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, DaemonLoop)
        await asyncio.sleep(0)
        before = loop.stalls.count
        doing(loop, "sleeping on duty")
        time.sleep(STALL)
        await asyncio.sleep(0)
        assert loop.stalls.count > before
        return loop

    with asyncio.Runner(loop_factory=DaemonLoop) as runner:
        loop = runner.run(main())
    assert loop.stalls.longest is not None


def test_what_is_done_can_be_said_to_any_loop() -> None:
    doing(object(), "nothing that anybody counts")


@pytest.mark.skipif(sys.platform == "win32", reason="there a loop handles no signals")
def test_a_loop_that_is_closed_lets_go_of_all_signals_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[int] = []
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGURG)
    loop = DaemonLoop()
    for number in numbers:
        loop.add_signal_handler(number, lambda: None)
    assert loop.remove_signal_handler(signal.SIGURG)
    assert not loop.remove_signal_handler(signal.SIGURG)

    def list_all() -> set[signal.Signals]:
        listed.append(1)
        return set(signal.Signals)

    monkeypatch.setattr(signal, "valid_signals", list_all)
    loop.close()
    monkeypatch.undo()
    assert listed == []
    assert {signal.getsignal(number) for number in numbers} == {signal.SIG_DFL}
    assert signal.set_wakeup_fd(-1) == -1
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()).isdisjoint(numbers)
