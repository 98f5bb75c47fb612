"""Measures how long portsup serves nobody while neighbours do what they can to keep it busy.

    python -m benchmarks.stalls [--seconds S] [--services N] [--processes N] [--descriptors N] [--taken N]

Another user (nobody, where root runs this) holds spare ports of the stack by listeners that are in flight, so that no
process has them open, and keeps processes with many descriptors.  Every look for who has those ports has to go through
all of them, and finds nobody.  Meanwhile the status is asked for ten times a second.

Of each stall the daemon tells how much of it was on a processor: the rest is the machine's.  Where others keep that
busy `chrt -r 1 python -m benchmarks.stalls` goes before them, and TMPDIR=/dev/shm has the runtime directory in memory,
where that of root is.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import contestants, processes, tools
from benchmarks.contestants import Portsup, Workload, running
from benchmarks.figures import machine, spread, verdict
from supervisor.control.client import Client

NOBODY = 65534
MOST_EACH = 18_000  # descriptors of one process, below the limit that systems give to users
ANSWER_GOAL, STALL_GOAL = 1.0, 0.05  # seconds


def main() -> int:
    """Prints the figures; 1 when a goal was missed or a service was lost."""
    options = parse()
    processes.end_by_exception()
    contestants.FIRST_PORT = options.first_port
    workload = Workload(options.services)
    print(f"{machine()}\n")
    with contextlib.ExitStack() as stack:
        large, rest = divmod(options.descriptors, MOST_EACH)
        if large:
            stack.enter_context(neighbour("crowd", str(large), str(MOST_EACH)))
        if rest or not large:
            stack.enter_context(neighbour("crowd", "1", str(rest)))
        if options.processes > large + 1:
            stack.enter_context(neighbour("crowd", str(options.processes - large - 1), "0"))
        spares = [str(port + number) for number in range(workload.pool - 1, 0, -1) for port in workload.ports]
        taken = spares[: options.taken]
        if taken:
            stack.enter_context(neighbour("flying", *taken))
        run = stack.enter_context(running(Portsup, workload, within=120.0))
        (socket,) = Path(run.folder / "r").glob("*.sock")
        client = Client(socket, patience=120.0)
        print(f"{options.services} services answered after {run.answered_after * 1000:.0f} ms", flush=True)
        print(f"at the start: {words(client.ask('status')['loop'])}", flush=True)
        took, answer = asked(client, options.seconds)
    states = [row["state"] for row in answer["services"]]
    loop = answer["loop"]
    print(f"{len(took)} answers of `status`: {spread(took, 'ms')}")
    print(f"in all: {words(loop)}")
    lost = len(states) - states.count("running")
    print(f"{lost} services lost, {sum(row['restarts'] for row in answer['services'])} restarts")
    is_quick, is_smooth = max(took) < ANSWER_GOAL * 1000, loop["longest_stall_s"] < STALL_GOAL
    print(f"longest answer below {ANSWER_GOAL:g} s: {verdict(is_quick)}")
    print(f"longest stall below {STALL_GOAL * 1000:g} ms: {verdict(is_smooth)}")
    return 0 if is_quick and is_smooth and not lost else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stalls", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="default: 30")
    parser.add_argument("--services", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--processes", type=int, default=5000, metavar="N", help="of others; default: 5000")
    parser.add_argument("--descriptors", type=int, default=1_000_000, metavar="N", help="of others; default: 1000000")
    parser.add_argument("--taken", type=int, default=40, metavar="N", help="spare ports that they hold; default: 40")
    parser.add_argument("--first-port", type=int, default=contestants.FIRST_PORT, metavar="PORT")
    return parser.parse_args()


def words(loop: dict[str, Any]) -> str:
    """What the daemon says of its loop."""
    took, cpu = (float(loop[key]) * 1000 for key in ("longest_stall_s", "longest_stall_cpu_s"))
    longest = f"{took:.0f} ms, {cpu:.0f} of them on a processor ({loop['longest_stall']})"
    return f"longest stall {longest}, {loop['stalls']} of 50 ms and more"


def asked(client: Client, seconds: float) -> tuple[list[float], dict[str, Any]]:
    """Milliseconds that each answer took, and the last of them."""
    took: list[float] = []
    end = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        answer = client.ask("status")
        took.append((time.monotonic() - begun) * 1000)
        if time.monotonic() >= end:
            return took, answer
        time.sleep(0.1)


@contextlib.contextmanager
def neighbour(program: str, *words: str) -> Iterator[None]:
    """A program of another user, once it says that it is ready; it ends with its children."""
    who = NOBODY if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder:  # the cache of the programs is closed to others
        os.chmod(folder, 0o755)
        binary = shutil.copy(tools.program(program), folder)
        with subprocess.Popen([binary, *words], stdout=subprocess.PIPE, user=who, group=who) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline() != b"ready\n":
                    raise RuntimeError(f"`{program}` did not come up")
                yield
            finally:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
