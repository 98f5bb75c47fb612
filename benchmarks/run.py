"""Measures the contestants in turn, round by round, and prints medians, ratios and whether portsup's goals are met.

python -m benchmarks.run [--only NAME,NAME] [--without NAME,NAME] [--rounds N] [--json FILE]
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.contestants import Floor, HoldingFloor, Portsup, PythonFloor, Run
from benchmarks.figures import machine
from benchmarks.measures import MEASURES, PYTHON, Taker, Values, can, python_start
from benchmarks.peers import S6, Circus, Honcho, Mprocs, Pm2, Runit, Supervisord
from benchmarks.processes import end_by_exception
from benchmarks.report import is_missed, rows, summary

CONTESTANTS: dict[str, type[Run]] = {
    each.name: each
    for each in (Portsup, Supervisord, Circus, Honcho, Pm2, Mprocs, S6, Runit, PythonFloor, HoldingFloor, Floor)
}


def main() -> int:
    """Runs what was asked for; 1 when portsup missed a goal or something went wrong."""
    options = parse()
    end_by_exception()
    names = [name for name in CONTESTANTS if name not in options.without]
    for name in list(names):
        if how := CONTESTANTS[name].prepare():
            print(f"warning: {name} is left out, it is not installed: {how}", file=sys.stderr)
            names.remove(name)
    print(f"{machine()}\n", flush=True)
    found: dict[str, Values] = {name: {} for name in options.only}
    told = []
    for taker in dict.fromkeys(MEASURES[name].take for name in options.only):
        asked = [name for name in options.only if MEASURES[name].take is taker]
        rounds = options.rounds or max(MEASURES[name].rounds for name in asked)
        told += take(taker, asked, names, rounds, found)
        for name in asked:
            print("\n".join(rows(MEASURES[name], found[name])), flush=True)
    print("\ngoals", flush=True)
    for line in summary([(MEASURES[name], found[name]) for name in options.only]):
        print(f"    {line}")
    for line in told:
        print(f"error: {line}", file=sys.stderr)
    if options.json:
        units = {name: MEASURES[name].unit for name in options.only}
        options.json.write_text(json.dumps({"units": units, "values": found, "failures": told}, indent=1) + "\n")
    return 1 if told or any(is_missed(MEASURES[name], found[name]) for name in options.only) else 0


def parse() -> argparse.Namespace:
    def listed(known: Iterable[str]) -> Callable[[str], list[str]]:
        def split(text: str) -> list[str]:
            names = text.split(",")
            if wrong := [name for name in names if name not in known]:
                raise argparse.ArgumentTypeError(f"no {wrong[0]!r}; there are {', '.join(known)}")
            return names

        return split

    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.split("\n")[0])
    parser.add_argument("--only", type=listed(MEASURES), default=list(MEASURES), metavar="NAME,…")
    parser.add_argument("--without", type=listed(CONTESTANTS), default=[], metavar="NAME,…")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single value")
    return parser.parse_args()


def take(taker: Taker, asked: list[str], names: list[str], rounds: int, found: dict[str, Values]) -> list[str]:
    """Adds the values of each contestant, round by round, the first one of a round being another each time; what went
    wrong, in words.
    """
    failures = []
    counts_python = [name for name in asked if any(goal.less_python for goal in MEASURES[name].goals)]
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            contestant = CONTESTANTS[name]
            wanted = [each for each in asked if can(contestant, each)]
            if not wanted:
                continue
            try:
                values = taker(contestant)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                failures.append(f"{', '.join(asked)}: {name}: {type(error).__name__}: {error}")
                continue
            for each in wanted:
                found[each].setdefault(name, []).extend(values.get(each, []))
            if contestant is Portsup:
                for each in counts_python:
                    found[each].setdefault(PYTHON, []).extend(python_start())
    return failures


if __name__ == "__main__":
    sys.exit(main())
