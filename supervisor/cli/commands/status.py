"""`portsup status`: the services of an instance, once or whenever something changes."""

import argparse
import sys
import time

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.cli.parser import add_format
from supervisor.cli.rows import KEYS, loop_words, pool_words, select, socket_words
from supervisor.cli.target import connect
from supervisor.control.json_form import as_json
from supervisor.control.status import ServiceStatus
from supervisor.errors import ExitCode
from supervisor.words import answers
from supervisor.words.moments import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.control.client import Client
    from supervisor.control.messages import Resources

    Used = dict[str, Resources | None]

EXAMPLES = """\
  portsup status                      NAME PORT STATE HEALTH PID UPTIME RESTARTS
  portsup status web --format wide    EXIT, RESULT, HANDOFF, STATUS and POOL:
                                      6000* active, 6001 spare, 6002!node taken
                                      by node, 6003~ in quarantine
  portsup status --format json        one JSON object per line
  portsup status --resources          also CPU, memory, processes and sockets
  portsup status --watch              print again at every change, until Ctrl-C

exit codes: 0 all listed services are running, idle, done or not selected,
3 at least one is not, 4 no such service or no running instance"""

COLUMNS = ("NAME", "PORT", "STATE", "HEALTH", "PID", "UPTIME", "RESTARTS")
WIDE = (*COLUMNS, "EXIT", "RESULT", "HANDOFF")
_USED = ("CPU", "MEMORY", "PROCS", "LISTENS")
_NUMBERS = ("PORT", "PID", "UPTIME", "RESTARTS", "EXIT", "CPU", "MEMORY", "PROCS")
_OPTIONAL = (
    "RESTARTS", "UPTIME", "EXIT", "PROCS", "LISTENS", "CPU", "MEMORY", "PID", "HEALTH", "HANDOFF", "RESULT", "STATUS",
    "BY NAME",
)  # fmt: skip
_STATE_COLORS = {
    "running": "green",
    "failed": "red",
    "killing": "red",
    "backoff": "red",
    "idle": "dim",
    "stopped": "dim",
    "exited": "dim",
}
_PASSING = ("acquiring", "waiting", "preparing", "starting", "terminating", "cleaning")
_PAINTS: dict[tuple[str, str], str] = {("STATE", state): color for state, color in _STATE_COLORS.items()} | {
    **{("STATE", state): "yellow" for state in _PASSING},
    ("HEALTH", "healthy"): "green",
    ("HEALTH", "unhealthy"): "red",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `status`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="list only these services")
    parser.add_argument("-a", "--all", action="store_true", help="accepted for Compose compatibility; has no effect")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only the names")
    add_format(parser, "table", "json", "wide")
    parser.add_argument(
        "-r", "--resources", action="store_true",
        help="also show CPU, memory, processes and listening sockets",
    )  # fmt: skip
    parser.add_argument("--replicas", action="store_true", help="also list each replica")
    parser.add_argument("-w", "--watch", action="store_true", help="print again at every change, until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    """Print the status; 3 when something listed is not running."""
    client = connect(args)
    if args.watch:
        return _watch(client, args)
    answer = client.status()
    rows = select(answer.services, args.services)
    _print(_lines(rows, _used_by(client, rows, args), args))
    if args.format != "json" and not args.quiet:
        _tell_why(rows)
        if args.format == "wide" and answer.loop:
            say(f"\nportsup: {loop_words(answer.loop)}")
        for warning in answer.warnings:
            warn(warning, args.color)
    return int(ExitCode.OK if all(row.is_fine for row in rows) else ExitCode.NOT_RUNNING)


def _used_by(client: "Client", rows: list[ServiceStatus], args: argparse.Namespace) -> "Used | None":
    """What each service uses, if that is wanted; looking at it costs more than all the rest."""
    if args.quiet or not args.resources:
        return None
    return client.resources([row.name for row in rows]).resources


def _tell_why(rows: list[ServiceStatus]) -> None:
    reasons = [f"{row.name}: {row.reason}" for row in rows if row.reason and not row.is_fine]
    if away := [row for row in rows if row.replicas and row.state == "running"]:
        from supervisor.api.rows import replica_words

        reasons += [f"{row.name}: {words}" for row in away if (words := replica_words(row))]
    if rolling := [row for row in rows if row.beside is not None]:
        from supervisor.api.rows import roll_words

        reasons += [f"{row.name}: {roll_words(row)}" for row in rolling]
    if reasons:
        sys.stdout.flush()
        say("\n" + "\n".join(reasons))


def _lines(rows: list[ServiceStatus], used: "Used | None", args: argparse.Namespace, later: float = 0.0) -> list[str]:
    """What is printed for `rows`, which are `later` seconds old, and for what they use."""
    if args.quiet:
        return [row.name for row in rows]
    if args.format == "json":
        return [render.json_line(_told(row, used)) for row in rows]
    wide = args.format == "wide"
    columns, cells = WIDE if wide else COLUMNS, [cells_of(row, wide, later) for row in rows]
    if used is not None:
        columns = (*columns, *_USED)
        cells = [[*line, *_used(used.get(row.name))] for line, row in zip(cells, rows, strict=True)]
    if wide:
        columns = (*columns, "POOL")
        cells = [[*line, pool_words(row.pool)] for line, row in zip(cells, rows, strict=True)]
    if wide and any(row.name_url for row in rows):
        columns = (*columns, "BY NAME")
        cells = [[*line, row.name_url or ""] for line, row in zip(cells, rows, strict=True)]
    if any(row.next_run for row in rows):
        columns = (*columns, "NEXT RUN")
        cells = [[*line, moment(row.next_run or "")] for line, row in zip(cells, rows, strict=True)]
    if wide and any(row.status_text for row in rows):
        columns = (*columns, "STATUS")
        cells = [[*line, row.status_text or ""] for line, row in zip(cells, rows, strict=True)]
    if args.replicas:
        with_row = zip(cells, rows, strict=True)
        cells = [each for line, row in with_row for each in (line, *lines_of_replicas(row, wide, later))]
        cells = [[*line, *[""] * (len(columns) - len(line))] for line in cells]
    return render.table(
        columns,
        cells,
        numbers=_NUMBERS,
        paints=_paints(rows),
        color=render.wants_color(args.color, sys.stdout),
        width=render.width_of(sys.stdout),
        optional=_OPTIONAL,
    )


def _told(row: ServiceStatus, used: "Used | None") -> "dict[str, Any]":
    told = as_json(row)
    told = {key: told[key] for key in KEYS}
    if used is not None:
        found = used.get(row.name)
        told["resources"] = None if found is None else as_json(found)
    return told


def cells_of(row: ServiceStatus, wide: bool, later: float) -> list[str]:
    """A row of the table."""
    uptime = row.uptime_s
    health = "" if row.health == "none" else row.health
    state = f"{row.state} {row.ready_words}" if row.replicas else row.state
    cells = [row.name, row.port, state, health, row.pid]
    cells += [render.duration(None if uptime is None else uptime + later), row.restarts]
    if wide:
        cells += [row.exit_code, row.result, row.handoff]
    return ["" if cell is None else str(cell) for cell in cells]


def lines_of_replicas(row: ServiceStatus, wide: bool, later: float) -> list[list[str]]:
    """One line for each of several processes."""
    lines: list[list[str]] = []
    for each in row.replicas or ():
        health = "" if each.health == "none" else each.health
        uptime = render.duration(None if each.uptime_s is None else each.uptime_s + later)
        cells = [f"  {each.name}", "", each.state, health, each.pid, uptime, each.restarts]
        cells += [each.exit_code, each.result] if wide else []
        lines.append(["" if cell is None else str(cell) for cell in cells])
    return lines


def _paints(rows: list[ServiceStatus]) -> dict[tuple[str, str], str]:
    """How cells are coloured; a service of several that are not all ready is not as it should be."""
    paints = dict(_PAINTS)
    for row in rows:
        if row.replicas and (color := _PAINTS.get(("STATE", row.state))):
            paints["STATE", f"{row.state} {row.ready_words}"] = color if row.ready == len(row.replicas) else "yellow"
    return paints


def _used(resources: "Resources | None") -> list[str]:
    if resources is None:
        return [""] * len(_USED)
    cpu = resources.cpu_s
    time_used = f"{cpu:.1f}s" if cpu < 60 else render.duration(cpu)
    return [
        time_used,
        render.size(resources.memory),
        str(resources.processes),
        (socket_words(resources.listens) + (" …" if resources.partial else "")).lstrip(),
    ]


def _watch(client: "Client", args: argparse.Namespace) -> int:
    on_terminal = render.is_terminal(sys.stdout) and not render.is_dumb()
    live = on_terminal and args.format != "json"
    rows: list[ServiceStatus] = []
    told = 0.0
    first = True
    for answer in client.watch(every=1.0 if live else None):
        if answer is not None:
            rows = select(answer.services, args.services)
            told = time.monotonic()
        lines = _lines(rows, _used_by(client, rows, args), args, time.monotonic() - told)
        if live:
            redraw(lines, first)
        else:
            _print(lines if first or args.format == "json" or args.quiet else ["", *lines])
        first = False
    raise answers.ended_meanwhile(answers.WATCH_LONGER)


def redraw(lines: list[str], first: bool) -> None:
    height = render.size_of(sys.stdout)[1]
    shown = lines if len(lines) < height else [*lines[: height - 2], answers.more(len(lines) - height + 2)]
    start = "\x1b[2J\x1b[H" if first else "\x1b[H"
    sys.stdout.write(start + "".join(f"{line}\x1b[K\n" for line in shown) + "\x1b[J")
    sys.stdout.flush()


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
