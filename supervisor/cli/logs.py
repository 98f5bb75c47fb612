"""`portsup logs`: what the services wrote, from the files, whether anything runs or not."""

import argparse
import os
import sys
import time
from collections.abc import Iterable

from supervisor.cli import render, target
from supervisor.cli.places import config_near, current_directory
from supervisor.cli.target import Ambiguous, choose, runs_from
from supervisor.errors import NotFound, PortsupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.logs.line import Line
    from supervisor.ports.instances import InstanceInfo

EXAMPLES = """\
  portsup logs                       the last 100 lines of every service, in the order of time
  portsup logs -f web                go on with what comes, until Ctrl-C (exit code 130)
  portsup logs -n all --since 10m    everything of the last ten minutes
  portsup logs --json                {time, service, stream, message}, one JSON object a line
  portsup -f FILE logs               behind `logs`, -f means follow"""

ALL = -1
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
    parser.add_argument("-t", "--timestamps", action="store_true", help="the time in front of each line")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--no-prefix", action="store_true", help="lines without the name of the service")


def run(args: argparse.Namespace) -> int:
    """Print the lines; with --follow there is no end but Ctrl-C."""
    from supervisor.logs.tail import Follower

    directory, known = _source(args)
    names = _chosen(args.services, known)
    printer = _Printer(args, known, names)
    count = args.lines if args.lines is not None else None if args.since is not None else _LINES
    if count == ALL:
        count = None
    with Follower({name: os.path.join(directory, f"{name}.log") for name in names}, count) as follower:
        printer.print(follower.last())
        while args.follow:
            lines = follower.new()
            printer.print(lines)
            if not lines:
                follower.wait(None if os.path.isdir(directory) else _LOOK_AGAIN)
    return 0


def _source(args: argparse.Namespace) -> tuple[str, list[str]]:
    """The directory with the logs that are meant, and the services whose logs belong there."""
    from supervisor.logs.state_dir import instance_directory

    info = _running(args)
    if info is not None:
        directory = instance_directory(info.stack, info.instance)
        return directory, _with_files(directory, _services_of(info))
    from supervisor.cli.config import load

    stack = load(args.file)
    directory = instance_directory(stack.name, args.instance or 1)
    return directory, _with_files(directory, list(stack.services))


def _running(args: argparse.Namespace) -> "InstanceInfo | None":
    """The running instance that is meant; None when it does not run, but services.yaml tells which one it is."""
    running, here = target.instances(), current_directory()
    has_config = args.file is not None or config_near(here) is not None
    if args.file is None and has_config and not any(runs_from(info, here) for info in running):
        return None
    try:
        return choose(running, here, args.instance, args.file)
    except Ambiguous:
        raise
    except NotFound:
        if has_config:
            return None
        raise


def _services_of(info: "InstanceInfo") -> list[str]:
    from supervisor.control.client import Client

    try:
        return [row["name"] for row in Client(info.socket).ask("status")["services"]]
    except PortsupError:  # just ending: the files tell as well
        return []


def _with_files(directory: str, names: list[str]) -> list[str]:
    """`names`, and those that are in the configuration no longer but still have a log."""
    try:
        found = sorted(os.listdir(directory))
    except OSError:
        found = []
    logs = [name.removesuffix(".log") for name in found if name.endswith(".log") and name != "portsup.log"]
    return [*names, *(name for name in logs if name not in names)]


def _chosen(asked: list[str], known: list[str]) -> list[str]:
    for name in asked:
        if name not in known:
            from supervisor.cli.commands import did_you_mean

            hint = did_you_mean(name, known) or f"there are: {', '.join(f'`{one}`' for one in known)}"
            raise NotFound(f"cannot find the log of `{name}`", "the stack has no such service", hint)
    return [name for name in known if not asked or name in asked]


class _Printer:
    """Writes lines as they were asked for."""

    def __init__(self, args: argparse.Namespace, known: list[str], names: list[str]) -> None:
        self._args = args
        color = render.wants_color(args.color, sys.stdout)
        width = max(map(len, names), default=0)
        self._prefixes = {
            name: render.paint(f"{name:<{width}} |", _PALETTE[known.index(name) % len(_PALETTE)], color) + " "
            for name in names
        }

    def print(self, lines: "Iterable[Line]") -> None:
        """Write `lines`, and make sure that whoever reads a pipe gets them now."""
        since = self._args.since or 0.0
        sys.stdout.writelines(f"{self._text(line)}\n" for line in lines if line.time >= since)
        sys.stdout.flush()

    def _text(self, line: "Line") -> str:
        from supervisor.logs.line import rfc3339

        if self._args.json:
            record = {"time": rfc3339(line.time), "service": line.service}
            return render.json_line(record | {"stream": line.stream, "message": line.message})
        moment = f"{rfc3339(line.time)} " if self._args.timestamps else ""
        prefix = "" if self._args.no_prefix else self._prefixes[line.service]
        return f"{prefix}{moment}{line.message}"


def line_count(text: str) -> int:
    """How many lines: a number, or `all`."""
    if text == "all":
        return ALL
    if text.isascii() and text.isdigit():
        return int(text[:18])
    raise argparse.ArgumentTypeError(f"`{text}` is no number of lines: write 50, or all")


def moment(text: str) -> float:
    """Seconds since 1970 for `10m` (ago) or an ISO 8601 time, local unless it says otherwise."""
    from datetime import datetime

    from supervisor.cli.parser import seconds

    try:
        return time.time() - seconds(text)
    except argparse.ArgumentTypeError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"`{text}` is no time: write 10m, 2h or 2026-03-01T09:30") from None
