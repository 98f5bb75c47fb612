"""`portsup status`: the services of an instance, once or whenever something changes."""

import argparse
import sys
import time

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.cli.rows import KEYS, is_fine, pool_words, roll_words, select
from supervisor.cli.target import connect
from supervisor.errors import ExitCode, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.control.client import Client

EXAMPLES = """\
  portsup status                      NAME PORT STATE HEALTH PID UPTIME RESTARTS
  portsup status web --format wide    also EXIT, RESULT, HANDOFF and each port of the pool:
                                      6000* active, 6001 spare, 6002!node taken by node, 6003~ in quarantine;
                                      and STATUS, where services say in words what they do
  portsup status --format json        one JSON object a service and line
  portsup status --watch              again whenever something changes, until Ctrl-C (exit code 130)

exit codes: 0 all listed services are running (or have ended with success, or are not asked for), 3 at least one is not,
4 no such service or no running instance"""

_COLUMNS = ("NAME", "PORT", "STATE", "HEALTH", "PID", "UPTIME", "RESTARTS")
_WIDE = (*_COLUMNS, "EXIT", "RESULT", "HANDOFF", "POOL")
_NUMBERS = ("PORT", "PID", "UPTIME", "RESTARTS", "EXIT")
_OPTIONAL = ("RESTARTS", "UPTIME", "EXIT", "PID", "HEALTH", "HANDOFF", "RESULT", "STATUS")
_STATE_COLORS = {
    "running": "green",
    "failed": "red",
    "killing": "red",
    "backoff": "red",
    "stopped": "dim",
    "exited": "dim",
}
_PAINTS = {("STATE", state): color for state, color in _STATE_COLORS.items()} | {
    **{("STATE", state): "yellow" for state in ("acquiring", "waiting", "starting", "terminating")},
    ("HEALTH", "healthy"): "green",
    ("HEALTH", "unhealthy"): "red",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `status`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these services")
    parser.add_argument("-a", "--all", action="store_true", help="all services, as without it: for Compose hands")
    parser.add_argument("-q", "--quiet", action="store_true", help="only the names")
    parser.add_argument("--format", choices=("table", "json", "wide"), default="table", help="default: table")
    parser.add_argument("-w", "--watch", action="store_true", help="show it again at every change, until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    """Print the status; 3 when something listed is not running."""
    client = connect(args)
    if args.watch:
        return _watch(client, args)
    answer = client.ask("status")
    rows = select(answer["services"], args.services)
    _print(_lines(rows, args))
    if args.format != "json" and not args.quiet:
        _tell_why(rows)
        for warning in answer.get("warnings") or ():
            warn(warning, args.color)
    return int(ExitCode.OK if all(map(is_fine, rows)) else ExitCode.NOT_RUNNING)


def _tell_why(rows: "list[dict[str, Any]]") -> None:
    reasons = [f"{row['name']}: {row['reason']}" for row in rows if row.get("reason") and not is_fine(row)]
    reasons += [f"{row['name']}: {words}" for row in rows if (words := roll_words(row))]
    if reasons:
        sys.stdout.flush()
        say("\n" + "\n".join(reasons))


def _lines(rows: "list[dict[str, Any]]", args: argparse.Namespace, later: float = 0.0) -> list[str]:
    """What is printed for `rows`, which are `later` seconds old."""
    if args.quiet:
        return [row["name"] for row in rows]
    if args.format == "json":
        return [render.json_line({key: row.get(key) for key in KEYS}) for row in rows]
    wide = args.format == "wide"
    columns, cells = _WIDE if wide else _COLUMNS, [_cells(row, wide, later) for row in rows]
    if wide and any(row.get("status_text") for row in rows):
        columns = (*columns, "STATUS")
        cells = [[*line, row.get("status_text") or ""] for line, row in zip(cells, rows, strict=True)]
    return render.table(
        columns,
        cells,
        numbers=_NUMBERS,
        paints=_PAINTS,
        color=render.wants_color(args.color, sys.stdout),
        width=render.width_of(sys.stdout),
        optional=_OPTIONAL,
    )


def _cells(row: "dict[str, Any]", wide: bool, later: float) -> list[str]:
    uptime = row["uptime_s"]
    health = "" if row["health"] == "none" else row["health"]
    cells = [row["name"], row["port"], row["state"], health, row["pid"]]
    cells += [render.duration(None if uptime is None else uptime + later), row["restarts"]]
    if wide:
        cells += [row["exit_code"], row["result"], row.get("handoff"), pool_words(row["pool"])]
    return ["" if cell is None else str(cell) for cell in cells]


def _watch(client: "Client", args: argparse.Namespace) -> int:
    on_terminal = render.is_terminal(sys.stdout)
    live = on_terminal and args.format != "json"
    rows: list[dict[str, Any]] = []
    told = 0.0
    first = True
    for answer in client.watch(every=1.0 if live else None):
        if answer is not None:
            if "services" not in answer:
                continue  # the last line
            rows = select(answer["services"], args.services)
            told = time.monotonic()
        lines = _lines(rows, args, time.monotonic() - told)
        if live:
            _redraw(lines, first)
        else:
            _print(lines if first or args.format == "json" or args.quiet else ["", *lines])
        first = False
    raise NotFound("cannot watch any longer", "the instance has ended")


def _redraw(lines: list[str], first: bool) -> None:
    height = render.size_of(sys.stdout)[1]
    shown = lines if len(lines) < height else [*lines[: height - 2], f"... {len(lines) - height + 2} more"]
    start = "\x1b[2J\x1b[H" if first else "\x1b[H"
    sys.stdout.write(start + "".join(f"{line}\x1b[K\n" for line in shown) + "\x1b[J")
    sys.stdout.flush()


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
