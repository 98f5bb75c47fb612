"""A turn of the loop that takes more than a second is told wherever people look."""

import os
import re
import signal
import threading
import time

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

STOPPED = 1.1  # seconds


def stall(live: Live, pid: int) -> bool:
    """Stops the daemon for a while, which is a stall if that was in the middle of something; whether it was."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(STOPPED)
    os.kill(pid, signal.SIGCONT)
    return bool(live.client().ask("status")["loop"]["longest_stall_s"] > 1.0)


def test_a_stall_of_more_than_a_second_is_an_event_and_in_each_account(stack: Make) -> None:
    live, is_over = stack({"web": SLEEPS}), threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            live.client().ask("status")

    with live.up():
        askers = [threading.Thread(target=ask) for _ in range(3)]  # so that it is busy nearly all the time
        for each in askers:
            each.start()
        try:
            eventually(lambda: stall(live, live.daemon()), within=60.0)
        finally:
            is_over.set()
            for each in askers:
                each.join()
        (told, *_) = eventually(lambda: live.journal("loop stalled"))
        assert told["took"] > 1.0 > told["cpu"]
        assert told["doing"]
        assert "the longest turn took" in live.run("status", "--format", "wide").stderr
        counted = re.search(r"^portsup_loop_stalls_total\{.*\} (\d+)$", live.run("metrics").stdout, re.M)
        assert counted is not None
        assert int(counted[1]) >= 1
        assert "stalls of 50 ms and more" in live.run("doctor").stdout
