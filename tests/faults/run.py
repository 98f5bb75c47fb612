"""Fails one system call after the other in the life of a small stack: `make test-faults`.

    python -m tests.faults.run                        every point, which takes hours
    python -m tests.faults.run --seconds 180          as many as that time allows, spread over all kinds of points
    python -m tests.faults.run --only up/daemon       those that have this in their name
    python -m tests.faults.run up/daemon/open/3/EIO   these points

Each point is one life of the stack.  The exit code is 1 where anything was found.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.building import build
from tests.faults.points import Point, every, sample
from tests.faults.small_stack import PORTS
from tests.faults.trial import Outcome, trial
from tests.support.ports import free_pool

SEED = 20261128
MOST_PLACES = 12  # where calls failed, of one point


class Run:
    """Several trials at a time, each of which takes the next point when it is done with one."""

    def __init__(self, points: Iterator[Point], folder: Path, deadline: float, show: bool) -> None:
        self.tried = 0
        self.missed = 0
        self.codes: Counter[int | None] = Counter()
        self.found: list[tuple[Point, Outcome]] = []
        self.slowest = 0.0
        self._points = points
        self._folder = folder
        self._deadline = deadline
        self._show = show
        self._lock = threading.Lock()

    def work(self, ports: Sequence[int]) -> None:
        """One of those who try them."""
        shim, server = build(self._folder)
        while (point := self._next()) is not None:
            with trial(shim, server, ports) as it:
                outcome = it.run(point)
            self._note(point, outcome)

    def _next(self) -> Point | None:
        with self._lock:
            return next(self._points, None) if time.monotonic() < self._deadline else None

    def _note(self, point: Point, outcome: Outcome) -> None:
        with self._lock:
            self.tried += 1
            self.missed += not outcome.reached
            self.codes[outcome.code] += 1
            self.slowest = max(self.slowest, outcome.seconds)
            if outcome.wrong:
                self.found.append((point, outcome))
                print(f"{point}: {'; '.join(outcome.wrong)}\n{shortened(outcome.where)}", flush=True)
            elif self._show:
                print(f"{point}: {outcome.code}{'' if outcome.reached else ', not reached'}", flush=True)


def shortened(where: str) -> str:
    """The innermost places of each traceback, without what is not ours."""
    places: dict[str, None] = {}
    for trace in where.split("Stack (most recent call first):\n")[1:]:
        lines = [line.strip() for line in trace.splitlines() if "/supervisor/" in line]
        places["".join(f"    {line}\n" for line in lines[:6])] = None
    return "".join(f"  it failed in\n{each}" for each in list(places)[:MOST_PLACES])


def counted(folder: Path, ports: Sequence[int]) -> Mapping[tuple[str, int, str], int]:
    """How often each call is made where nothing fails."""
    shim, server = build(folder)
    with trial(shim, server, ports) as it:
        return it.count()


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run")
    parser.add_argument("points", nargs="*", metavar="POINT")
    parser.add_argument("--only", metavar="TEXT", default="")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    pools = [free_pool(PORTS) for _ in range(args.jobs)]
    with tempfile.TemporaryDirectory(prefix="pf") as name:
        folder = Path(name)
        build(folder)
        if args.points:
            points = [Point.parse(text) for text in args.points]
        else:
            counts = counted(folder, pools[0])
            points = [point for point in every(counts) if args.only in f"{point} "]
            print(f"{sum(counts.values())} calls can fail in {len(points)} ways; seed {args.seed}", flush=True)
        deadline = time.monotonic() + args.seconds  # from here: what can fail was counted
        run = Run(iter(points) if args.points else sample(points, args.seed), folder, deadline, args.verbose)
        with ThreadPoolExecutor(args.jobs) as workers:
            for each in [workers.submit(run.work, ports) for ports in pools]:
                each.result()
    told = ", ".join(f"{count} with {code}" for code, count in sorted(run.codes.items(), key=lambda each: -each[1]))
    print(f"tried {run.tried} of {len(points)} points, {run.missed} of them not reached; ended: {told}")
    print(f"the slowest took {run.slowest:.1f} s; found {len(run.found)}")
    for point, _ in run.found:
        print(f"  {point}")
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main())
