"""What each signal asks for, as a rule without processes; tests/live/test_signals.py sends them."""

import signal
import subprocess
import sys

import pytest

from supervisor.process.signals import (
    FAULTS,
    HARMLESS,
    OF_THE_TERMINAL,
    STOPPING,
    Wish,
    meaning,
    passed_on_by_exec,
)

BY_HAND = (signal.SIGINT, signal.SIGQUIT)


def of(number: signal.Signals, before: int = 0, *, is_orphaned: bool = False, is_at_work: bool = False) -> Wish:
    return meaning(number, before, is_orphaned=is_orphaned, is_at_work=is_at_work)


# In a process with one thread, as those of portsup that do this: a signal may come to any other thread.
HEARS = """
import os, signal, subprocess, sys, time
from supervisor.process.signals import leave_to_system

complaints, heard = [], []
sys.unraisablehook = complaints.append
sends = f"import os\\nwhile os.getppid() == {os.getpid()}: os.kill({os.getpid()}, {signal.SIGURG})"
sender = subprocess.Popen([sys.executable, "-c", sends])
try:
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        before = len(heard)
        signal.signal(signal.SIGURG, lambda number, _: heard.append(number))
        while len(heard) == before:  # they come one after the other now
            pass
        leave_to_system((signal.SIGURG,))
finally:
    sender.kill()
    sender.wait()
print(complaints)
"""


@pytest.mark.live
def test_a_signal_that_comes_while_its_handler_goes_is_no_complaint() -> None:
    ended = subprocess.run([sys.executable, "-c", HEARS], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")


@pytest.mark.parametrize("number", STOPPING)
def test_the_first_one_stops_and_in_the_background_a_hangup_reloads(number: signal.Signals) -> None:
    assert of(number) is Wish.STOP
    assert of(number, is_at_work=True) is (Wish.RELOAD if number is signal.SIGHUP else Wish.STOP)
    assert of(number, is_orphaned=True, is_at_work=True) is Wish.STOP_AT_ONCE
    assert of(number, 5, is_orphaned=True) is Wish.STOP_AT_ONCE


def test_a_second_one_by_hand_kills_and_of_others_a_third() -> None:
    assert {of(number, 1) for number in BY_HAND} == {Wish.KILL}
    assert [of(signal.SIGTERM, before) for before in range(4)] == [Wish.STOP, Wish.NOTHING, Wish.KILL, Wish.KILL]
    assert {of(number, 9) for number in (signal.SIGPWR, signal.SIGXCPU, signal.SIGABRT)} == {Wish.NOTHING}


def test_every_signal_has_its_place() -> None:
    kept = {*FAULTS, *OF_THE_TERMINAL, *HARMLESS} - {signal.SIGWINCH}
    assert set(passed_on_by_exec()) == signal.valid_signals() - kept
