"""Measures the contestants in turn, round by round, and prints medians, ratios and whether portsup's goals are met.

    python -m benchmarks.run [--only NAME,NAME] [--without NAME] [--rounds N] [--json FILE]
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from benchmarks.contestants import Floor, Portsup, Run, Supervisord
from benchmarks.measures import MEASURES, Measure

CONTESTANTS: dict[str, type[Run]] = {"supervisord": Supervisord, "portsup": Portsup, "floor": Floor}
Values = dict[str, list[float]]


def main() -> int:
    """Runs what was asked for; 1 when portsup missed a goal or something went wrong."""
    options = parse()
    names = [name for name in CONTESTANTS if name not in options.without]
    for name in names:
        CONTESTANTS[name].prepare()
    print(f"# {time.strftime('%Y-%m-%d')}, Linux {platform.release()}, Python {platform.python_version()}", end="")
    print(f", {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':26}{''.join(f'{name:>30}' for name in names)}   portsup against supervisord, floor", flush=True)
    results, missed = {}, False
    for key in options.only:
        measure = MEASURES[key]
        values, failures = take(measure, names, options.rounds or measure.rounds)
        results[key] = {"unit": measure.unit, "values": values, "failures": failures}
        missed |= report(measure, values, names) or bool(failures)
        for failure in failures:
            print(f"    {failure}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if missed else 0


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


def take(measure: Measure, names: list[str], rounds: int) -> tuple[Values, list[str]]:
    """The values of each contestant, round by round, the first one of a round being another each time."""
    values: Values = {name: [] for name in names}
    failures = []
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            contestant = CONTESTANTS[name]
            if number >= measure.rounds_of.get(contestant, rounds):
                continue
            try:
                values[name] += measure.take(contestant)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                failures.append(f"{name}: {type(error).__name__}: {error}")
    return values, failures


def report(measure: Measure, values: Values, names: list[str]) -> bool:
    """Prints the line of one measure; true when portsup missed its goal."""
    cells = [f"{cell(values[name], measure.unit):>30}" for name in names]
    medians = {name: median(values[name]) for name in names if values[name]}
    ours = medians.get("portsup")
    others = [name for name in ("supervisord", "floor") if ours is not None and medians.get(name)]
    against = {name: medians["portsup"] / medians[name] for name in others}
    ratios = [f"{against[name]:8.3g}" if name in against else f"{'-':>8}" for name in ("supervisord", "floor")]
    line = f"{measure.words:26}{''.join(cells)}   {''.join(ratios)}"
    compared = against.get("supervisord") if measure.of_supervisord else ours
    missed = False
    if measure.goal is not None and compared is not None:
        missed = compared > measure.goal
        line += f"   goal {measure.goal:g}{' of supervisord' if measure.of_supervisord else ''}:"
        line += " missed" if missed else " met"
    print(line, flush=True)
    return missed


def cell(values: list[float], unit: str) -> str:
    """The median, and the range; with twenty values and more, the 99th percentile instead."""
    if not values:
        return "-"
    ordered = sorted(values)
    if len(values) >= 20:
        spread = f"(p99 {ordered[math.ceil(0.99 * len(values)) - 1]:.4g})"
    else:
        spread = f"({ordered[0]:.4g}-{ordered[-1]:.4g})"
    return f"{median(values):.4g} {unit} {spread}".replace("  ", " ")


if __name__ == "__main__":
    sys.exit(main())
