"""What a start cannot do without, part by part, beside the floor: is the goal of three times the floor within reach?

python -m benchmarks.parts [--count N] [--rounds N]

Each part runs alone in a fresh interpreter and does nothing else: importing what portsup consists of, reading and
checking the services.yaml, starting the programs without ports, locks, logs or the handoff.  What is left of the goal
is the time that there is for everything that portsup is for.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.contestants import Floor, Portsup, Workload, running
from benchmarks.figures import machine, spread
from benchmarks.measures import python_start
from benchmarks.processes import end_by_exception

TIMES = 3  # of the floor, the goal
CLOCK = "import sys, time; sys.modules['ssl'] = None; begin = time.perf_counter()\n"
TELL = "\nprint((time.perf_counter() - begin) * 1000)"
DAEMON = "import supervisor.cli.main, supervisor.cli.commands.up, supervisor.daemon.start, structlog\n"
READ = (
    "import gc, os, pathlib; gc.disable(); from supervisor.config.load import load\n"
    + CLOCK
    + "load(pathlib.Path(sys.argv[1]), dict(os.environ))"
)
SPAWN = (
    "import os; from supervisor.process.spawn import Command, spawn\n"
    "null = os.open(os.devnull, os.O_RDWR); left = [spawn(Command(['/bin/true'], {}, '/', null, null, None, None))]\n"
    + CLOCK
    + "for port in range(int(sys.argv[2])):\n"
    " left.append(spawn(Command([sys.argv[3]], {'PORT': str(port)}, '/', null, null, None, None)))" + TELL + "\n"
    "for pid in left:\n os.kill(pid, 9); os.waitpid(pid, 0)"
)


def main() -> int:
    """Prints every part and their sum; 0 whatever it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200, metavar="N", help="services (default: 200)")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    options = parser.parse_args()
    end_by_exception()
    work = Workload(options.count)
    for contestant in (Floor, Portsup):
        contestant.prepare()
    with tempfile.TemporaryDirectory(prefix="pb") as folder:
        ours = Portsup(work, Path(folder))
        arguments = [str(Path(folder) / "services.yaml"), str(options.count), str(ours.program)]
        parts = {"imports": CLOCK + DAEMON + TELL, "services.yaml": READ + TELL, "spawning": SPAWN}
        values: dict[str, list[float]] = {"floor": [], "python -c pass": [], **{name: [] for name in parts}}
        for _ in range(options.rounds):
            with running(Floor, work) as run:
                values["floor"].append(run.answered_after * 1000)
            values["python -c pass"] += python_start()
            for name, script in parts.items():
                values[name].append(_told_by(script, arguments))
    print(f"{machine()}\n\n{options.count} services, {options.rounds} rounds in turn")
    for name, found in values.items():
        print(f"{name:>16} {spread(found, 'ms')}")
    goal = TIMES * median(values["floor"])
    least = sum(median(values[name]) for name in parts)
    print(f"\nthe goal, {TIMES} times the floor: {goal:.0f} ms; the parts alone: {least:.0f} ms")
    return 0


def _told_by(script: str, arguments: list[str]) -> float:
    time.sleep(0.05)
    done = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
