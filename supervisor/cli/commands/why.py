"""`portsup why`: the last failures of a service as a story, with what it printed and what to do next."""

import argparse
import sys

from supervisor.cli import render
from supervisor.cli.arguments import failure_count, line_count
from supervisor.cli.parser import add_format
from supervisor.cli.source import Source, find_source
from supervisor.control.json_form import as_json, line_of
from supervisor.core import journal
from supervisor.core.escapes import tamed
from supervisor.core.naming import parted
from supervisor.errors import PortsupError
from supervisor.words import answers
from supervisor.words.events import sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.api.values import Why
    from supervisor.control.messages import Event
    from supervisor.control.status import ServiceStatus

EXAMPLES = """\
  portsup why api                 what happened, its output, what to do next
  portsup why api --failures all  all failures, not only three
  portsup why api --format json   one JSON object"""

_FAILURES = 3
_LINES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `why`."""
    parser.add_argument("service", metavar="SERVICE", help="the service")
    parser.add_argument(
        "--failures", metavar="N", type=failure_count, default=_FAILURES,
        help=f"explain the last N failures, or all (default: {_FAILURES})",
    )  # fmt: skip
    parser.add_argument(
        "-n", "--lines", metavar="N", type=line_count, default=_LINES,
        help=f"print the last N lines of output, or all (default: {_LINES})",
    )  # fmt: skip
    add_format(parser, "text", "json")


def run(args: argparse.Namespace) -> int:
    """Print the story."""
    from supervisor.api.history import why_of

    source = find_source(args)
    service, replica = parted(args.service, source.services)
    if service not in source.services:
        from supervisor.cli.commands import did_you_mean

        hint = did_you_mean(args.service, source.services) or answers.named(source.services)
        raise answers.unknown(args.service, hint, answers.TELL_OF)
    row = _row(source, service)
    state = row.state if row else None
    told = why_of(source.directory, service, state, replica=replica, failures=args.failures, lines=args.lines)
    if args.format == "json":
        events = {"chapters": [_objects(each) for each in told.chapters], "since": _objects(told.since)}
        print(render.json_line(as_json(told) | events))
        return 0
    color = render.wants_color(args.color, sys.stdout)
    print("\n".join(text(told, row, color)))
    return 0


def _objects(events: "Iterable[Event]") -> "list[dict[str, Any]]":
    """The events as the journal has them."""
    return [line_of(each) for each in events]


def _row(source: Source, service: str) -> "ServiceStatus | None":
    if source.info is None:
        return None
    from supervisor.control.client import Client

    try:
        rows = Client(source.info.socket).status([service]).services
    except PortsupError:  # just ending
        return None
    return rows[0] if rows else None


def text(told: "Why", row: "ServiceStatus | None", color: bool) -> list[str]:
    """The story for people, line by line."""
    waits_for = row.reason if row is not None and row.state == "waiting" else ""
    now = answers.now(None, None) if row is None else answers.now(row.state, row.port, waits_for)
    service, total, chapters = told.service, told.failures, told.chapters
    is_up = row is not None
    if not total:
        return [answers.nothing_wrong(service, is_up, now), *_next(told.advice)]
    lines = [answers.went_wrong(service, total, is_up, now)]
    for number, chapter in enumerate(chapters, total - len(chapters) + 1):
        lines += ["", answers.failure(number, total)]
        lines += [_line(event, color) for event in chapter]
    if told.since:
        lines += ["", answers.SINCE_THEN, *(_line(event, color) for event in told.since)]
    if told.output:
        has_new_process = any(event.event == journal.ServiceSpawned.event for event in told.since)
        lines += [
            "",
            answers.last_output(has_new_process),
            *(f"  | {tamed(line)}" for line in told.output),
        ]
    return lines + _next(told.advice)


def _next(advice: "Sequence[str]") -> list[str]:
    return ["", answers.NEXT, *(f"  {tamed(line.strip())}" for line in advice)] if advice else []


def _line(event: "Event", color: bool) -> str:
    words = render.printable(sentence(line_of(event)))
    mark = {"warning": "yellow", "error": "red"}.get(event.level, "")
    return f"  {render.paint(event.time[11:23], 'dim', color)}  {render.paint(words, mark, color)}"
