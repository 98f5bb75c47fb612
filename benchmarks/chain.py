"""Starts, reloads and stops a chain of dependants: whether that takes a time in proportion to its length.

    python -m benchmarks.chain [--short N] [--long N] [--rounds N]

Each service depends on the one before it, has no ports, and is ready once it was spawned.  The two chains take turns;
what counts is how many times longer the long one takes, beside how many times longer it is.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import tools
from benchmarks.figures import machine, verdict
from benchmarks.processes import end_by_exception

STEPS = ("up", "status", "reload", "down")
WITHIN = 900.0  # seconds that bound each step
TOLERANCE = 1.5  # of a proportional growth: what a busy machine adds to the longer run


def main() -> int:
    """Prints the seconds of each step, and the growth; 1 when one grows faster than the chain."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chain", description=__doc__.split("\n")[0])
    parser.add_argument("--short", type=int, default=250, metavar="N", help="services (default: 250)")
    parser.add_argument("--long", type=int, default=1000, metavar="N", help="services (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: 3")
    options = parser.parse_args()
    end_by_exception()
    print(f"{machine()}\n")
    took: dict[int, dict[str, list[float]]] = {}
    for _ in range(options.rounds):
        for length in (options.short, options.long):
            for step, seconds in times_of(length).items():
                took.setdefault(length, {}).setdefault(step, []).append(seconds)
    factor = options.long / options.short
    is_fine = True
    for step in STEPS:
        short, long = (median(took[length][step]) for length in (options.short, options.long))
        is_met = long / short <= factor * TOLERANCE
        is_fine = is_fine and is_met
        print(
            f"{step:7} {short:7.2f} s  {long:7.2f} s  {long / short:5.2f} times longer, {verdict(is_met)}", flush=True
        )
    return 0 if is_fine else 1


def times_of(length: int) -> dict[str, float]:
    """Seconds that each step takes with a chain of so many services."""
    names = [f"s{number:04}" for number in range(length)]
    services = {
        name: {"command": ["sleep", "1000000"], **({"depends_on": [names[number - 1]]} if number else {})}
        for number, name in enumerate(names)
    }
    with tempfile.TemporaryDirectory(prefix="pb") as folder:
        Path(folder, "services.yaml").write_text(json.dumps({"name": "chain", "services": services}))
        found: dict[str, float] = {}
        try:
            for step in STEPS:
                begun = time.monotonic()
                done = run(folder, *(("up", "-d") if step == "up" else (step,)))
                found[step] = time.monotonic() - begun
                if done.returncode:
                    raise RuntimeError(f"`{step}` returned {done.returncode}: {done.stderr[-500:]}")
        finally:
            run(folder, "down")
    return found


def run(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    """One `portsup` command in that folder, with everything that it keeps."""
    environment = {
        **os.environ, "PORTSUP_RUNTIME_DIR": f"{folder}/r", "PORTSUP_STATE_DIR": f"{folder}/s",
    }  # fmt: skip
    command = [str(tools.portsup()), *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=WITHIN, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
