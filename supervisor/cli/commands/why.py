"""`portsup why`: the last failures of a service as a story, with what it printed and what to do next."""

import argparse
import math
import os
import sys

from supervisor.cli import render
from supervisor.cli.arguments import ALL, line_count
from supervisor.cli.source import Source, find_source
from supervisor.core.escapes import tamed
from supervisor.errors import NotFound, PortsupError
from supervisor.words import story

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.messages import ServiceStatus

EXAMPLES = """\
  portsup why api                 what was decided and when, who had its ports, what it printed, what to do next
  portsup why api --failures all  not only the last three times
  portsup why api --format json   the same for programs: one object"""

_FAILURES = 3
_LINES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `why`."""
    parser.add_argument("service", metavar="SERVICE", help="the service that is meant")
    parser.add_argument(
        "--failures", metavar="N", type=line_count, default=_FAILURES,
        help=f"tell of the last N times that it went wrong, or of all (default: {_FAILURES})",
    )  # fmt: skip
    parser.add_argument(
        "-n", "--lines", metavar="N", type=line_count, default=_LINES,
        help=f"how much of what it printed (default: {_LINES})",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(args: argparse.Namespace) -> int:
    """Print the story."""
    from supervisor.logs.history import read_events

    source = find_source(args)
    if args.service not in source.services:
        from supervisor.cli.commands import did_you_mean

        known = ", ".join(f"`{one}`" for one in source.services)
        hint = did_you_mean(args.service, source.services) or f"there are: {known}"
        raise NotFound(f"cannot tell of `{args.service}`", "the stack has no such service", hint)
    events = story.of_last_run(read_events(os.path.join(source.directory, "portsup.log")))
    row = _row(source, args.service)
    chapters = story.chapters(events, args.service)
    total = len(chapters)
    chapters = chapters if args.failures == ALL else chapters[max(0, total - args.failures) :]
    printed = _printed(source, args.service, args.lines, story.span_of_output(events, args.service)) if chapters else []
    advice = story.advice(events, args.service, row.state if row else "stopped") if chapters else []
    advice += story.hints(events, args.service)
    if args.format == "json":
        told = {
            "service": args.service, "state": row.state if row else None, "failures": total, "chapters": chapters,
            "since": story.later(events, args.service), "output": printed, "advice": advice,
        }  # fmt: skip
        print(render.json_line(told))
        return 0
    color = render.wants_color(args.color, sys.stdout)
    print("\n".join(_text(args.service, row, total, chapters, events, printed, advice, color)))
    return 0


def _row(source: Source, service: str) -> "ServiceStatus | None":
    if source.info is None:
        return None
    from supervisor.control.client import Client

    try:
        rows = Client(source.info.socket).status([service]).services
    except PortsupError:  # just ending
        return None
    return rows[0] if rows else None


def _printed(source: Source, service: str, lines: int, span: tuple[float, float]) -> list[str]:
    """The last that it printed between these moments."""
    from collections import deque

    from supervisor.logs.tail import read_last

    since, until = span
    path = os.path.join(source.directory, f"{service}.log")
    past = read_last({service: path}, lines if lines != ALL and until == math.inf else None)
    kept = (line.message for line in past if since <= line.time < until)
    return list(kept if lines == ALL else deque(kept, maxlen=lines))


def _text(
    service: str, row: "ServiceStatus | None", total: int, chapters: "list[list[story.Event]]",
    events: "list[story.Event]", printed: list[str], advice: list[str], color: bool,
) -> list[str]:  # fmt: skip
    now = _now(row)
    when = "since the stack came up" if row else "in its last run"
    if not chapters:
        return [f"nothing has gone wrong with `{service}` {when}; it {now}", *_next(advice)]
    times = {1: "once", 2: "twice"}.get(total, f"{total} times")
    lines = [f"`{service}` went wrong {times} {when}; it {now}"]
    for number, chapter in enumerate(chapters, total - len(chapters) + 1):
        lines += ["", f"failure {number} of {total}"]
        lines += [_line(event, color) for event in chapter]
    since = story.later(events, service)
    if since:
        lines += ["", "since then", *(_line(event, color) for event in since)]
    if printed:
        lines += [
            "",
            "the last that it printed" + (" before its next process" if _has_new_process(since) else ""),
            *(f"  | {tamed(line)}" for line in printed),
        ]
    return lines + _next(advice)


def _next(advice: list[str]) -> list[str]:
    return ["", "what to do next", *(f"  {tamed(line.strip())}" for line in advice)] if advice else []


def _has_new_process(since: "list[story.Event]") -> bool:
    return any(event["event"] == "service spawned" for event in since)


def _now(row: "ServiceStatus | None") -> str:
    if row is None:
        return "does not run now"
    place = f" on port {row.port}" if row.port is not None else ""
    return f"is {row.state}{place} now"


def _line(event: "story.Event", color: bool) -> str:
    words = render.printable(story.sentence(event))
    mark = {"warning": "yellow", "error": "red"}.get(event["level"], "")
    return f"  {render.paint(event['time'][11:23], 'dim', color)}  {render.paint(words, mark, color)}"
