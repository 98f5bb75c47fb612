"""Fails one system call after the other in the life of a small stack: `make test-faults`.

    python -m tests.faults.run                        of each place in the program its first call and its last
    python -m tests.faults.run --steps                the same in each step and process
    python -m tests.faults.run --all                  every call
    python -m tests.faults.run --first                of each name in each step and process the first, which are the
                                                      same in every run
    python -m tests.faults.run --seconds 180          as many as that time allows, one of each kind before two of any
    python -m tests.faults.run --account FILE         goes on where the run stopped that has written FILE
    python -m tests.faults.run --only up/daemon       those that have this in their name
    python -m tests.faults.run up/daemon/open/3/EIO   these points

Each point is one life of the stack.  One in which something is wrong is lived again, while no other is: what comes
again in three lives is found, what does not is told too.  The exit code is 1 where anything was found.  Ctrl-C ends a
run after the points that are being tried.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.account import Account
from tests.faults.building import build, compile_modules
from tests.faults.outcomes import Outcome
from tests.faults.points import Call, Point, apart, every, sample
from tests.faults.small_stack import PORTS
from tests.faults.trial import trial
from tests.support.ports import free_pool

SEED = 20261128
MOST_PLACES = 12  # where calls failed, of one point
AGAIN = 3  # times that a finding is tried again at most: the number of a call is not the same in every life
JOBS = 1 + (os.cpu_count() or 1)
OFTEN = 30.0  # seconds between two lines that tell how far it is


class Run:
    """Several trials at a time, each of which takes the next point when it is done with one."""

    def __init__(self, account: Account, folder: Path, deadline: float, show: bool) -> None:
        self.account = account
        self.tried = self.missed = 0
        self.codes: Counter[int | None] = Counter()
        self.found: list[Point] = []
        self.once: list[Point] = []  # did not come again
        self.slowest = 0.0
        self._points: Iterator[Point] = iter(account.left())
        self._programs = build(folder)
        self._deadline = deadline
        self._show = show
        self._lock = threading.Lock()
        self._next_line = time.monotonic() + OFTEN

    def work(self, ports: Sequence[int]) -> None:
        """One of those who try them."""
        while (point := self._next()) is not None:
            self._note(point, self.live_through(point, ports))

    def stop(self, *_: object) -> None:
        """No other point is begun."""
        self._deadline = 0.0

    def live_through(self, point: Point, ports: Sequence[int]) -> Outcome:
        """One life, in which it fails."""
        with trial(*self._programs, ports) as it:
            return it.run(point)

    def once_more(self, ports: Sequence[int]) -> None:
        """Parts what comes again from what does not."""
        suspects, self.found = self.found, []
        for point in suspects:
            for _ in range(AGAIN):
                outcome = self.live_through(point, ports)
                print(f"once more, {point}: {'; '.join(outcome.wrong) or 'nothing wrong'}", flush=True)
                if outcome.wrong:
                    break
            (self.found if outcome.wrong else self.once).append(point)

    def _next(self) -> Point | None:
        with self._lock:
            return next(self._points, None) if time.monotonic() < self._deadline else None

    def _note(self, point: Point, outcome: Outcome) -> None:
        with self._lock:
            self.account.note(point, is_wrong=bool(outcome.wrong))
            self.tried += 1
            self.missed += not outcome.reached
            self.codes[outcome.code] += 1
            self.slowest = max(self.slowest, outcome.seconds)
            if outcome.wrong:
                self.found.append(point)
                print(f"{point}: {'; '.join(outcome.wrong)}\n{shortened(outcome.where)}", flush=True)
            elif self._show:
                print(f"{point}: {outcome.code}{'' if outcome.reached else ', not reached'}", flush=True)
            if time.monotonic() >= self._next_line:
                self._next_line = time.monotonic() + OFTEN
                print(f"{progress(self.account)} so far", flush=True)


def progress(account: Account) -> str:
    """How far a run is."""
    return f"tried {len(account)} of {len(account.points)} points"


def shortened(where: str) -> str:
    """The innermost places of each traceback, without what is not ours."""
    places: dict[str, None] = {}
    for trace in where.split("Stack (most recent call first):\n")[1:]:
        lines = [line.strip() for line in trace.splitlines() if "/supervisor/" in line]
        places["".join(f"    {line}\n" for line in lines[:6])] = None
    return "".join(f"  it failed in\n{each}" for each in list(places)[:MOST_PLACES])


def counted(folder: Path, ports: Sequence[int]) -> tuple[Mapping[Call, int], Mapping[Call, Mapping[int, str]]]:
    """How often each call is made where nothing fails, and from where."""
    with trial(*build(folder), ports) as it:
        return it.count()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run")
    parser.add_argument("points", nargs="*", type=Point.parse, metavar="POINT")
    parser.add_argument("--only", metavar="TEXT", default="")
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--account", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("-v", "--verbose", action="store_true")
    return parser.parse_args()


def main() -> int:
    """The exit code."""
    args = parse()
    pools = [free_pool(PORTS) for _ in range(args.jobs)]
    account = Account(args.account)
    with tempfile.TemporaryDirectory(prefix="pf") as name:
        folder = Path(name)
        build(folder)
        compile_modules()
        if args.points:
            account.begin(args.points)
        elif not account.points:
            counts, places = counted(folder, pools[0])
            points = [point for point in every(counts, None if args.all else places) if args.only in f"{point} "]
            if args.first:
                points = [point for point in points if point.number == 1]
            elif not args.all and not args.steps:
                points = list(apart(points, args.seed, places))
            account.begin(sample(points, args.seed, None if args.first else places))
            print(f"{sum(counts.values())} calls, {len(points)} points to try; seed {args.seed}", flush=True)
        run = Run(account, folder, time.monotonic() + args.seconds, args.verbose)  # what can fail was counted by now
        for number in (signal.SIGINT, signal.SIGTERM):  # the stacks that run end first, as nobody else ends them
            signal.signal(number, run.stop)
        with ThreadPoolExecutor(args.jobs) as workers:
            for each in [workers.submit(run.work, ports) for ports in pools]:
                each.result()
        run.once_more(pools[0])
    told = ", ".join(f"{count} with {code}" for code, count in sorted(run.codes.items(), key=lambda each: -each[1]))
    print(f"now {run.tried}, {run.missed} of them not reached; ended: {told}; the slowest took {run.slowest:.1f} s")
    print(f"{progress(account)}; found {len(run.found)}")
    for point in run.found:
        print(f"  {point}")
    for point in run.once:
        print(f"  {point} did not come again")
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main())
