"""portsup killed at random moments, start and shutdown included; `python -m benchmarks.deaths` does it more often."""

import random
import signal

import pytest

from tests.live.conftest import Make
from tests.live.deaths import Death, Mortal, Phase, Victim
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

SOON = 10.0  # seconds: how quick it is, is for the benchmark


def mortal(stack: Make) -> Mortal:
    """A stack of a server and of one whose child has left the session and ignores SIGTERM."""
    pool = free_pool(3)
    at_once = {"restart_policy": {"delay": 0, "max_restarts": 100}, "stop_grace_period": "0.2s"}
    live = stack({
        "web": {"command": program("listens"), "pool": list(pool), **at_once},
        "hides": {"command": program("leaves_session"), **at_once},
    })  # fmt: skip
    return Mortal(live, {"web": pool[0]})


def dies_well(mortal: Mortal, death: Death) -> None:
    outcome = mortal.die(death)
    assert outcome.wrong == (), death
    assert death.victim is Victim.BOTH or (outcome.gone_after or 0) < SOON, death


@pytest.mark.long
@pytest.mark.parametrize("victim", list(Victim))
def test_nothing_outlives_it_and_the_next_start_is_clean(stack: Make, victim: Victim) -> None:
    stacks = mortal(stack)
    stacks.learn()
    for phase in Phase:
        is_detached, hands_over = random.random() < 0.5, random.random() < 0.5
        dies_well(stacks, Death(victim, phase, random.random(), signal.SIGKILL, is_detached, hands_over))


def test_a_daemon_that_crashes_takes_every_process_along(stack: Make) -> None:
    stacks = mortal(stack)
    dies_well(stacks, Death(Victim.DAEMON, Phase.RUN, 0.0, signal.SIGSEGV))
