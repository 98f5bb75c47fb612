"""Kills portsup at random moments of its life: what survives, what stays locked, and how the next `up` gets on.

    python -m benchmarks.deaths [--moments N] [--seed N] [--only VICTIM]

The daemon, the guardian, and both are killed with SIGKILL at N moments each, the daemon also with SIGSEGV and SIGABRT
at a tenth as many: while the stack starts, while one of its services restarts, and while it stops, started by `up` and
by `up -d`, each fifth time without the handoff.  Of the six services two have a child that left its session by a double
fork and ignores SIGTERM.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import tools
from benchmarks.contestants import FIRST_PORT
from benchmarks.figures import machine, spread, verdict
from benchmarks.processes import end_by_exception
from tests.live.deaths import Death, Mortal, Phase, Victim
from tests.live.stack import Live

GONE_WITHIN = 1.0  # seconds
POOL = 3


def main() -> int:
    """Prints the figures; 1 when something survived, stayed locked, or kept the next `up` from its first ports."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deaths", description=__doc__.split("\n")[0])
    parser.add_argument("--moments", type=int, default=200, metavar="N", help="for each victim; default: 200")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="to have the same moments again")
    parser.add_argument("--only", type=Victim, choices=list(Victim), help="default: all three")
    options = parser.parse_args()
    end_by_exception()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    print(f"{machine()}, seed {seed}\n")
    chance, failed = random.Random(seed), False
    folder = Path(tempfile.mkdtemp(prefix="pb"))
    try:
        mortal = mortal_in(folder)
        mortal.learn()
        few = max(options.moments // 10, 1)
        for victim in [options.only] if options.only else list(Victim):
            failed |= kill(mortal, victim, signal.SIGKILL, options.moments, chance)
        if options.only in (None, Victim.DAEMON):
            for number in (signal.SIGSEGV, signal.SIGABRT):
                failed |= kill(mortal, Victim.DAEMON, number, few, chance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def mortal_in(folder: Path) -> Mortal:
    """A stack of six services in this folder."""
    os.environ["PORTSUP_RUNTIME_DIR"], os.environ["PORTSUP_STATE_DIR"] = str(folder / "r"), str(folder / "s")
    ports = {f"s{number}": FIRST_PORT + POOL * number for number in range(6)}
    programs = [tools.program("tree" if number < 2 else "server") for number in range(6)]
    services = {
        name: {
            "command": [str(program)],
            "pool": list(range(port, port + POOL)),
            "restart_policy": {"delay": 0, "max_restarts": 1000},
            "stop_grace_period": "0.3s",
        }
        for (name, port), program in zip(ports.items(), programs, strict=True)
    }
    return Mortal(Live(folder / "p", services), ports)


def kill(mortal: Mortal, victim: Victim, number: signal.Signals, moments: int, chance: random.Random) -> bool:
    """Prints what becomes of so many deaths; whether one was wrong."""
    gone, wrong, late, left_over = [], 0, 0, 0
    begun = time.monotonic()
    for turn in range(moments):
        phase = list(Phase)[turn % len(Phase)]
        moment, is_detached, hands_over = chance.random(), chance.random() < 0.5, chance.random() < 0.8
        death = Death(victim, phase, moment, number, is_detached, hands_over)
        outcome = mortal.die(death)
        late += outcome.was_late
        complaints = list(outcome.wrong)
        if outcome.gone_after is not None:
            gone.append(outcome.gone_after * 1000)
        if victim is not Victim.BOTH and (outcome.gone_after is None or outcome.gone_after > GONE_WITHIN):
            complaints.append(f"gone after {outcome.gone_after} s; left after 1 s: {outcome.late}")
        left_over += outcome.gone_after is None
        wrong += bool(complaints)
        for complaint in complaints:
            print(f"    {death}: {complaint}", flush=True)
    words = f"{number.name} of {victim}: {moments} moments ({late} after its end), {wrong} wrong"
    if gone:
        words += f", all processes gone after {spread(gone, 'ms')}"
    if left_over:
        words += f", {left_over} times something was left to the next `up`, which ended it"
    print(f"{words}, {verdict(not wrong)} ({time.monotonic() - begun:.0f} s)", flush=True)
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
