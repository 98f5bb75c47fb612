"""Measures the contestants in turn, round by round, and prints medians, ratios and whether portsup's goals are met.

python -m benchmarks.run [--only NAME,NAME] [--without NAME] [--rounds N] [--json FILE]
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from benchmarks.contestants import Floor, Portsup, Run, Supervisord
from benchmarks.figures import machine, p99, spread, verdict
from benchmarks.measures import MEASURES, Measure, python_start
from benchmarks.processes import end_by_exception

CONTESTANTS: dict[str, type[Run]] = {"supervisord": Supervisord, "portsup": Portsup, "floor": Floor}
Values = dict[str, list[float]]
PYTHON = "python -c pass"


def main() -> int:
    """Runs what was asked for; 1 when portsup missed a goal or something went wrong."""
    options = parse()
    end_by_exception()
    names = [name for name in CONTESTANTS if name not in options.without]
    for name in names:
        CONTESTANTS[name].prepare()
    print(f"{machine()}\n")
    print(f"{'':26}{''.join(f'{name:>44}' for name in names)}   portsup against supervisord, floor", flush=True)
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
                if measure.less_python and contestant is Portsup:
                    values.setdefault(PYTHON, []).extend(python_start())
                values[name] += measure.take(contestant)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                failures.append(f"{name}: {type(error).__name__}: {error}")
    return values, failures


def report(measure: Measure, values: Values, names: list[str]) -> bool:
    """Prints the line of one measure; true when portsup missed its goal."""
    cells = [f"{spread(values[name], measure.unit):>44}" for name in names]
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
    return missed | against_floor(measure, values)


def against_floor(measure: Measure, values: Values) -> bool:
    """Prints portsup's part that is not Python's own as so many times the floor; true when it missed its goal."""
    ours, floor, python = (values.get(name, []) for name in ("portsup", "floor", PYTHON))
    if measure.of_floor is None or not ours or not floor:
        return False
    own = median(python) if python else 0.0
    words = f"    of it {PYTHON}: {spread(python, measure.unit)}; the rest" if python else "    "
    ratio = (median(ours) - own) / median(floor)
    missed = ratio > measure.of_floor
    words += f" {ratio:.3g} times the floor"
    if len(ours) >= 20 and len(floor) >= 20:
        words += f" (p99 {(p99(ours) - own) / p99(floor):.3g} times its p99)"
    words += f", at most {measure.of_floor:g}:"
    print(f"{words} {verdict(not missed)}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())
