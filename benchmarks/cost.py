"""What the filter of the handoff costs a program that does little but system calls.

    python -m benchmarks.cost [--rounds N]

A C program makes a million getpid(2) calls and accepts 100,000 connections, as a service with the handoff and with
`--handoff off`, in turns.  Every system call of a process under a seccomp filter runs that filter.  What is measured is
the processor time of the program; for a connection it is that of accept(2), setsockopt(2) and close(2).
"""

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.contestants import Portsup, WithoutHandoff, Workload, running
from benchmarks.figures import machine, spread
from benchmarks.processes import end_by_exception

WITHIN = 120.0  # seconds


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default: 7")
    rounds = parser.parse_args().rounds
    end_by_exception()
    print(f"{machine()}\n")
    Portsup.prepare()
    values: dict[str, dict[type[Portsup], list[float]]] = {}
    contestants: list[type[Portsup]] = [Portsup, WithoutHandoff]
    for turn in range(rounds):
        for contestant in contestants if turn % 2 else contestants[::-1]:
            for call, took in measure(contestant).items():
                values.setdefault(call, {}).setdefault(contestant, []).append(took)
    for call, took_by in values.items():
        under, free = took_by[Portsup], took_by[WithoutHandoff]
        added = median(under) - median(free)
        print(
            f"{call}: {spread(under, 'ns')} with the handoff, {spread(free, 'ns')} without:"
            f" {added:+.0f} ns, {median(under) / median(free):.3f} times"
        )
    return 0


def measure(contestant: type[Portsup]) -> dict[str, float]:
    """Nanoseconds of processor time for each call, by its name."""
    done = Path(f"/tmp/calls-{os.getpid()}")
    done.unlink(missing_ok=True)
    try:
        with running(contestant, Workload(1, "calls", environment={"CALLS_DONE": str(done)})):
            deadline = time.monotonic() + WITHIN
            while not (done.exists() and done.read_text().count("\n") == 2):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the program did not end within {WITHIN:g} s")
                time.sleep(0.05)
            return {call: float(took) for call, took in map(str.split, done.read_text().splitlines())}
    finally:
        done.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
