"""`portsup graph`: which service needs which, and how far that one must have come."""

import argparse

from supervisor.cli import render
from supervisor.cli.commands.config import load
from supervisor.cli.config_files import files_asked
from supervisor.cli.parser import add_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.config.spec import ServiceSpec, StackSpec

EXAMPLES = """\
  portsup graph                    in the order in which they start
  portsup graph --format mermaid   a mermaid flowchart
  portsup graph --format svg > graph.svg   a drawing that a browser shows
  portsup graph --format json      one JSON object per line"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `graph`."""
    add_format(parser, "text", "mermaid", "svg", "json")


def run(args: argparse.Namespace) -> int:
    """Print the graph of services.yaml."""
    stack = load(files_asked(args))
    draw = {"text": as_text, "mermaid": as_mermaid, "svg": as_drawing, "json": as_json}[args.format]
    print("\n".join(draw(stack)))
    return 0


def _levels(stack: "StackSpec") -> list[list[str]]:
    from supervisor.core.order import levels

    return [list(level) for level in levels({name: tuple(each.depends_on) for name, each in stack.services.items()})]


def as_text(stack: "StackSpec") -> list[str]:
    """A paragraph for each step of the start; what a service needs stands behind it."""
    lines = []
    for number, level in enumerate(_levels(stack), 1):
        lines.append(f"{number}.")
        for name in level:
            spec = stack.services[name]
            pool = f"  {pool_words(spec.pool)}" if spec.pool else ""
            needs = ", ".join(f"{need} ({condition})" for need, condition in spec.depends_on.items())
            pool += f"  x{spec.replicas}" if spec.replicas > 1 else ""
            how = "".join(f"  {each}" for each in habits(spec))
            lines.append(f"  {name}{pool}{how}" + (f"  after {needs}" if needs else ""))
    return lines


def as_mermaid(stack: "StackSpec") -> list[str]:
    """A flowchart; an arrow goes from what is needed to what needs it."""
    names = {name: f"s{number}" for number, name in enumerate(stack.services)}
    lines = ["flowchart LR"]
    for name, spec in stack.services.items():
        label = f"{name}<br/>{pool_words(spec.pool)}" if spec.pool else name
        label += f"<br/>x{spec.replicas}" if spec.replicas > 1 else ""
        lines.append(f'  {names[name]}["{label}"]')
    for name, spec in stack.services.items():
        for need, condition in spec.depends_on.items():
            lines.append(f"  {names[need]} -->|{condition}| {names[name]}")
    return lines


def as_drawing(stack: "StackSpec") -> list[str]:
    """A drawing; each service stands to the right of what it needs."""
    from supervisor.api.drawing import as_svg, drawn
    from supervisor.api.sight import graph_in
    from supervisor.words import pictures

    notes = {name: pool_words(spec.pool) for name, spec in stack.services.items() if spec.pool}
    return as_svg(drawn(graph_in(stack)), pictures.needs(stack.name), notes).splitlines()


def as_json(stack: "StackSpec") -> list[str]:
    """One object a service, in the order of the start."""
    return [
        render.json_line({
            "name": name,
            "level": number,
            "pool": list(stack.services[name].pool),
            "start": str(stack.services[name].start),
            "replicas": stack.services[name].replicas,
            "schedule": clock_of(stack.services[name]) or None,
            **_kept(stack.services[name]),
            "needs": {need: str(condition) for need, condition in stack.services[name].depends_on.items()},
        })
        for number, level in enumerate(_levels(stack), 1)
        for name in level
    ]  # fmt: skip


def _kept(spec: "ServiceSpec") -> "dict[str, object]":
    return {
        "idle_stop": spec.idle_stop or None,
        "watch": list(spec.watch.paths) if spec.watch else None,
        "stdio": str(spec.stdio.share) if spec.stdio else None,
        "memory_cost": spec.memory_cost or None,
    }


def clock_of(spec: "ServiceSpec") -> str:
    """When a job runs by the clock, "" for all others."""
    schedule = spec.schedule
    return "" if schedule is None else f"{schedule.cron} {schedule.timezone}".rstrip()


def habits(spec: "ServiceSpec") -> list[str]:
    """What a service does by itself, and what it costs, in words."""
    from supervisor.words import pictures
    from supervisor.words.checks import megabytes

    found = [str(spec.start)] if spec.start == "on-connect" else []
    found += [pictures.runs_at(clock_of(spec))] if spec.schedule else []
    found += [f"idle_stop {spec.idle_stop:g} s"] if spec.idle_stop else []
    found += [pictures.talks(spec.stdio.share)] if spec.stdio else []
    found += [pictures.watches(" ".join(spec.watch.paths))] if spec.watch else []
    return found + ([f"memory_cost {megabytes(spec.memory_cost)}"] if spec.memory_cost else [])


def pool_words(pool: tuple[int, ...]) -> str:
    """`6000-6002`, or one by one where they do not follow each other."""
    if len(pool) > 1 and pool == tuple(range(pool[0], pool[0] + len(pool))):
        return f"{pool[0]}-{pool[-1]}"
    return " ".join(map(str, pool))
