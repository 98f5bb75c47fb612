"""The rows of the table: every contestant's figure, portsup's as a ratio to it, and the goals.  Pure."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.figures import p99, spread, verdict
from benchmarks.measures import PYTHON, Goal, Measure, Values

OURS = "portsup"
FLOORS = ("Python floor", "holding floor")
ENOUGH = 20  # values that have a 99th percentile


def rows(measure: Measure, values: Values) -> Iterator[str]:
    """The lines of one measure; `values` are those of each contestant, and of Python's own start where that counts."""
    unit = f", {measure.unit}" if measure.unit else ""
    yield f"{measure.words}{unit}"
    ours = values.get(OURS, [])
    for name in sorted((name for name in values if values[name]), key=lambda name: median(values[name])):
        line = f"    {name:16}{spread(values[name], ''):44}"
        if ours and name != OURS and (theirs := median(values[name])):
            line += f"portsup {median(ours) / theirs:.3g} of it"
        yield line.rstrip()
    for goal in measure.goals:
        if (told := _told(goal, values)) is not None:
            yield f"    {told}"


def is_missed(measure: Measure, values: Values) -> bool:
    """Whether portsup misses one of the goals that can be judged."""
    return any(_meets(goal, values) is False for goal in measure.goals)


def _told(goal: Goal, values: Values) -> str | None:
    meets = _meets(goal, values)
    if meets is None:
        return None
    bound = f"{'at least' if goal.is_least else 'at most'} {goal.limit:g}"
    floor = "" if meets else _floor(goal, values)
    if not goal.of:
        return f"{bound}: {verdict(meets)}{floor}"
    which = "median and p99" if goal.with_p99 and _both_enough(goal, values) else "median"
    less = f" less {PYTHON}" if goal.less_python else ""
    found = " and ".join(f"{ratio:.3g}" for ratio in _ratios(goal, values))
    return f"{which}{less}: {found} of {goal.of}, {bound}: {verdict(meets)}{floor}"


def _floor(goal: Goal, values: Values) -> str:
    """What the interpreter and the libraries alone come to, where portsup misses a goal, and with locks and ports."""
    told = []
    for name in FLOORS:
        if ratios := _ratios(goal, {**values, OURS: values.get(name, [])}):
            told.append(f"{name}: {' and '.join(f'{ratio:.3g}' for ratio in ratios)}")
    return f" ({', '.join(told)})" if told else ""


def _meets(goal: Goal, values: Values) -> bool | None:
    """Whether a goal is met; None where there are no values to tell."""
    ratios = _ratios(goal, values)
    if not ratios:
        return None
    return all(ratio >= goal.limit if goal.is_least else ratio <= goal.limit for ratio in ratios)


def _ratios(goal: Goal, values: Values) -> list[float]:
    ours, theirs = values.get(OURS, []), values.get(goal.of, [])
    if not ours or (goal.of and not theirs):
        return []
    if not goal.of:
        return [median(ours)]
    python = values.get(PYTHON, []) if goal.less_python else []
    own = median(python) if python else 0.0
    found = [_ratio(median(ours) - own, median(theirs))]
    if goal.with_p99 and _both_enough(goal, values):
        found.append(_ratio(p99(ours), p99(theirs)))
    return found


def _both_enough(goal: Goal, values: Values) -> bool:
    return min(len(values[OURS]), len(values[goal.of])) >= ENOUGH


def _ratio(ours: float, theirs: float) -> float:
    return ours / theirs if theirs else float("inf")


def summary(results: Sequence[tuple[Measure, Values]]) -> Iterator[str]:
    """One line for each goal, the missed ones first."""
    told = [
        (bool(_meets(goal, values)), f"{measure.words}: {line}")
        for measure, values in results
        for goal in measure.goals
        if (line := _told(goal, values)) is not None
    ]
    for _, line in sorted(told, key=lambda each: each[0]):
        yield line
