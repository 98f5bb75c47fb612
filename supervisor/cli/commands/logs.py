"""`portsup logs`: what the services wrote, from the files, whether anything runs or not."""

import argparse
import math
import os
import sys
from collections.abc import Iterable

from supervisor.cli import render
from supervisor.cli.arguments import ALL, line_count, moment
from supervisor.cli.source import find_source, with_files
from supervisor.core.escapes import tamed
from supervisor.errors import NotFound, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.logs.line import Line

EXAMPLES = """\
  portsup logs                       the last 100 lines of every service, in the order of time
  portsup logs -f web                go on with what comes, until Ctrl-C (exit code 130)
  portsup logs -n all --since 10m    everything of the last ten minutes
  portsup logs --json                {time, service, stream, message}, one JSON object a line
  portsup -f FILE logs               behind `logs`, -f means follow"""

_LINES = 100
_PALETTE = ("cyan", "yellow", "green", "magenta", "blue")
_LOOK_AGAIN = 0.5  # seconds, while there is no directory yet that could be watched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `logs`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these services")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument(
        "-n",
        "--lines",
        metavar="N",
        type=line_count,
        help=f"the last N lines of each service, or all (default: {_LINES})",
    )
    parser.add_argument(
        "--since", metavar="WHEN", type=moment, help="only lines since 10m ago, or since 2026-03-01T09:30"
    )
    parser.add_argument("--until", metavar="WHEN", type=moment, help="only lines until then; not with --follow")
    parser.add_argument("-t", "--timestamps", action="store_true", help="the time in front of each line")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--no-prefix", action="store_true", help="lines without the name of the service")


def run(args: argparse.Namespace) -> int:
    """Print the lines; with --follow there is no end but Ctrl-C."""
    from supervisor.logs.tail import Follower

    if args.follow and args.until is not None:
        raise UsageError(
            "cannot follow the logs until a moment", "--until is about the past", "leave out one of the two"
        )
    source = find_source(args)
    directory, known = source.directory, with_files(source.directory, source.services)
    names = _chosen(args.services, known)
    printer = _Printer(args, known, names)
    count = args.lines if args.lines is not None else None if args.since or args.until else _LINES
    if count == ALL:
        count = None
    first = count if args.until is None else None  # the last until then are not the last of all
    with Follower({name: os.path.join(directory, f"{name}.log") for name in names}, first) as follower:
        past = follower.last()
        printer.print(past if args.until is None or count is None else _last_until(past, args.until, count))
        while args.follow:
            lines = follower.new()
            printer.print(lines)
            if not lines:
                follower.wait(None if os.path.isdir(directory) else _LOOK_AGAIN)
    return 0


def _chosen(asked: list[str], known: list[str]) -> list[str]:
    for name in asked:
        if name not in known:
            from supervisor.cli.commands import did_you_mean

            hint = did_you_mean(name, known) or f"there are: {', '.join(f'`{one}`' for one in known)}"
            raise NotFound(f"cannot find the log of `{name}`", "the stack has no such service", hint)
    return [name for name in known if not asked or name in asked]


def _last_until(lines: "Iterable[Line]", until: float, count: int) -> "list[Line]":
    """The last `count` lines of each service that are not later than `until`, in their order."""
    from collections import deque

    kept: dict[str, deque[tuple[int, Line]]] = {}
    for number, line in enumerate(lines):
        if line.time <= until:
            kept.setdefault(line.service, deque(maxlen=count)).append((number, line))
    return [line for _, line in sorted((pair for each in kept.values() for pair in each), key=lambda pair: pair[0])]


class _Printer:
    """Writes lines as they were asked for."""

    def __init__(self, args: argparse.Namespace, known: list[str], names: list[str]) -> None:
        self._args = args
        self._color = color = render.wants_color(args.color, sys.stdout)
        width = max(map(len, names), default=0)
        self._prefixes = {
            name: render.paint(f"{name:<{width}} |", _PALETTE[known.index(name) % len(_PALETTE)], color) + " "
            for name in names
        }

    def print(self, lines: "Iterable[Line]") -> None:
        """Write `lines`, and make sure that whoever reads a pipe gets them now."""
        since = 0.0 if self._args.since is None else self._args.since
        until = math.inf if self._args.until is None else self._args.until
        sys.stdout.writelines(f"{self._text(line)}\n" for line in lines if since <= line.time <= until)
        sys.stdout.flush()

    def _text(self, line: "Line") -> str:
        from supervisor.logs.line import rfc3339

        if self._args.json:
            record = {"time": rfc3339(line.time), "service": line.service}
            return render.json_line(record | {"stream": line.stream, "message": line.message})
        moment = f"{rfc3339(line.time)} " if self._args.timestamps else ""
        prefix = "" if self._args.no_prefix else self._prefixes[line.service]
        return f"{prefix}{moment}{tamed(line.message, keeps_colours=self._color)}"
