"""Restarts a service ten thousand times: whether descriptors, memory or runtime files of portsup grow.

    python -m benchmarks.growth [--restarts N] [--handoff auto|off]

The service is killed with SIGKILL again and again, and each tenth time restarted by `portsup restart`'s request, as
soon as its next process answers.  What is counted is looked at ten times; the first time, after a tenth of the
restarts, is what the last one is held against.  Before that portsup gets time for what it loads once, when it has
news and looks at its locks.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.contestants import FIRST_PORT, Portsup, WithoutHandoff, Workload, running
from benchmarks.figures import machine, verdict
from benchmarks.handoff import SEEN_WITHIN, restart
from supervisor.control.client import Client

LOOKS = 10
SETTLED_WITHIN = 0.5  # seconds
LOOKED_WITHIN = 12  # seconds, in which it looks at its locks once, and at whether there was news since the look before
MOST_MIB = 1.0  # that memory may grow by: the allocator's noise


@dataclass(frozen=True, slots=True)
class Look:
    """What portsup holds, daemon and guardian together; memory in MiB that no file backs."""

    descriptors: int
    memory: float
    runtime_files: int
    runtime_bytes: int
    state_files: int
    processes: int

    @classmethod
    def at(cls, run: Portsup) -> "Look":
        """As it is when all that was begun is done."""
        time.sleep(SETTLED_WITHIN)
        pids = run.own_pids()
        files = [path for path in (run.folder / "r").rglob("*") if path.is_file()]
        return cls(
            sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids),
            processes.anonymous_memory(pids),
            len(files),
            sum(path.stat().st_size for path in files),
            len([path for path in (run.folder / "s").rglob("*") if path.is_file()]),
            len(pids),
        )

    def __str__(self) -> str:
        return (
            f"{self.descriptors} descriptors, {self.memory:.2f} MiB, {self.runtime_files} runtime files of"
            f" {self.runtime_bytes} bytes, {self.state_files} log files, {self.processes} processes"
        )


def main() -> int:
    """Prints the figures; 1 when something has grown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.split("\n")[0])
    parser.add_argument("--restarts", type=int, default=10_000, metavar="N", help="default: 10000")
    parser.add_argument("--handoff", choices=("auto", "off"), default="auto")
    options = parser.parse_args()
    processes.end_by_exception()
    print(f"{machine()}\n")
    contestant = Portsup if options.handoff == "auto" else WithoutHandoff
    contestant.prepare()
    begun, looks = time.monotonic(), []
    # Without the handoff portsup has to look for the listener, and counts who dies before as not ready.
    seen_within = 0 if contestant is Portsup else SEEN_WITHIN
    each = max(options.restarts // LOOKS, 1)
    with running(contestant, Workload(1)) as run:
        assert isinstance(run, Portsup)
        time.sleep(LOOKED_WITHIN)
        restart(run, seen_within)
        time.sleep(LOOKED_WITHIN)
        for number in range(1, LOOKS + 1):
            for turn in range(each):
                if turn % 10 == 9:
                    ask_for_restart(run)
                else:
                    restart(run, seen_within)
            looks.append(Look.at(run))
            print(f"{each * number:6} restarts: {looks[-1]}", flush=True)
    first, last = looks[0], looks[-1]
    grown = [
        words
        for words, has_grown in (
            ("descriptors", last.descriptors > first.descriptors),
            ("memory", last.memory > first.memory + MOST_MIB),
            ("runtime files", last.runtime_files > first.runtime_files or last.runtime_bytes > first.runtime_bytes),
            ("processes", last.processes > first.processes),
        )
        if has_grown
    ]
    took = time.monotonic() - begun
    print(f"{contestant.name}: {', '.join(grown) or 'nothing'} has grown, {verdict(not grown)} ({took:.0f} s)")
    return 1 if grown else 0


def ask_for_restart(run: Portsup) -> None:
    """What `portsup restart` asks the daemon for; returns when the service is ready again."""
    name = f"s{FIRST_PORT}"
    *_, last = Client(run.folder / "r/bench-1.sock").stream("restart", services=[name])
    if not last["results"][0]["ok"]:
        raise RuntimeError(f"the restart failed: {last['results'][0]}")


if __name__ == "__main__":
    sys.exit(main())
