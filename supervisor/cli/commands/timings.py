"""`portsup timings`: how long the last start of the stack took, service by service, and who kept it."""

import argparse
import os
import sys

from supervisor.api.launch import Launch, critical_chain, launches, phases
from supervisor.cli import render
from supervisor.cli.parser import add_format
from supervisor.cli.source import find_source
from supervisor.core import journal
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = """\
  portsup timings                  each phase, and the critical chain
  portsup timings --format html > start.html   bars over time, for a browser
  portsup timings --format json    one JSON object per line"""

_COLUMNS = ("NAME", "AT", "PORT", "WAITED", "SPAWN", "LISTENING", "READY", "STARTS", "STATE")
_NUMBERS = _COLUMNS[1:-1]
_OPTIONAL = ("PORT", "STARTS", "SPAWN", "LISTENING", "WAITED", "READY")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `timings`."""
    add_format(parser, "table", "html", "json")


def run(args: argparse.Namespace) -> int:
    """Print the times of the last start; that of the instance that runs, or of the one that ran last."""
    from supervisor.logs.history import read_events
    from supervisor.words.events import of_last_run

    source = find_source(args)
    events = of_last_run(read_events(os.path.join(source.directory, "portsup.log")))
    told = (
        launches(events, source.needs) if events and events[0]["event"] == journal.InstanceStarts.event else []
    )
    if not told:
        raise answers.no_start_known(source.directory)
    chain = critical_chain(told)
    if args.format == "json":
        for each in told:
            print(render.json_line(_record(each, each in chain)))
        return 0
    if args.format == "html":
        from supervisor.api.gantt import as_html

        print(as_html(os.path.basename(source.directory), told, chain), end="")
        return 0
    print("\n".join(_table(told, args)))
    if chain:
        print(answers.chain_head(_seconds(chain[0].settled)))
        print("\n".join(_chain(chain)))
    return 0


def _record(launch: Launch, is_critical: bool) -> dict[str, object]:
    times = {f"{name}_s": _rounded(seconds) for name, seconds in phases(launch)}
    return {
        "service": launch.name,
        "outcome": launch.outcome or None,
        "at_s": _rounded(launch.settled),
        **times,
        "starts": launch.starts,
        "after": launch.after or None,
        "critical": is_critical,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3f} s"


def _table(told: "Sequence[Launch]", args: argparse.Namespace) -> list[str]:
    rows = []
    for each in told:
        times = [_seconds(seconds) for _, seconds in phases(each)]
        rows.append([each.name, _seconds(each.settled), *times, str(each.starts), each.outcome or answers.NOT_THERE])
    return render.table(
        _COLUMNS, rows, numbers=_NUMBERS, color=render.wants_color(args.color, sys.stdout),
        paints={("STATE", "failed"): "red", ("STATE", answers.NOT_THERE): "yellow"},
        width=render.width_of(sys.stdout), optional=_OPTIONAL,
    )  # fmt: skip


def _chain(chain: "Sequence[Launch]") -> list[str]:
    lines = []
    for depth, each in enumerate(chain):
        began = each.released if each.after else each.at.get(journal.ServiceAcquiring.event)
        took = None if began is None or each.settled is None else each.settled - began
        lines.append(f"{_seconds(each.settled):>8}  {_seconds(took):>8}   {'  ' * depth}{each.name}")
    return lines
