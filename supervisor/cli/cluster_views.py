"""What the commands print of a stack on a cluster: its services, what they wrote, and what happened."""

import argparse
import sys
import time
from collections.abc import Callable

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.core.escapes import tamed
from supervisor.errors import ExitCode, PortsupError
from supervisor.words import answers
from supervisor.words import cluster as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cluster.face import Cluster, Placed

_LOOK_EVERY = 0.5  # seconds
_MANY = 1_000_000  # events


def status(cluster: "Cluster", args: argparse.Namespace) -> int:
    """How the services are, once or again and again."""
    cluster.check(args.services)
    if args.watch:
        return _watch(cluster, args)
    rows = _chosen(cluster, args)
    show(_lines(rows, args))
    if args.format != "json" and not args.quiet:
        reasons = [words.not_ready(each.row.name, each.row.state, each.row.reason) for each in rows]
        if late := [why for why, each in zip(reasons, rows, strict=True) if each.row.reason and not each.row.is_fine]:
            say("\n" + "\n".join(late))
    return int(ExitCode.OK if all(each.row.is_fine for each in rows) else ExitCode.NOT_RUNNING)


def _chosen(cluster: "Cluster", args: argparse.Namespace) -> "list[Placed]":
    return [each for each in cluster.status() if not args.services or each.row.name in args.services]


def _lines(rows: "list[Placed]", args: argparse.Namespace) -> list[str]:
    if args.quiet:
        return [each.row.name for each in rows]
    if args.format == "json":
        return [render.json_line(_told(each)) for each in rows]
    return table(rows, args)


def _watch(cluster: "Cluster", args: argparse.Namespace) -> int:
    from supervisor.cli.commands.status import redraw

    live = render.is_terminal(sys.stdout) and not render.is_dumb() and args.format != "json"
    before: object = None
    while True:
        try:
            rows = _chosen(cluster, args)
        except PortsupError:  # such as a registry that is just being moved
            rows = []
        now = [(each.row.name, each.node, each.epoch, each.row.state, each.row.health, each.row.pid) for each in rows]
        if live and rows:
            redraw(_lines(rows, args), before is None)
        elif rows and now != before:
            lines = _lines(rows, args)
            show(lines if before is None or args.format == "json" or args.quiet else ["", *lines])
        before = now if rows else before
        if not rows and not cluster.is_there():
            raise answers.ended_meanwhile(answers.WATCH_LONGER)
        time.sleep(2 * _LOOK_EVERY)


def _told(each: "Placed") -> "dict[str, Any]":
    from supervisor.cli.rows import KEYS
    from supervisor.control.json_form import as_json

    row = as_json(each.row)
    of_node = {"node": each.node or None, "epoch": each.epoch, "heard_s": each.heard_s, "ready_s": each.ready_s}
    return {key: row[key] for key in KEYS} | of_node


def table(rows: "list[Placed]", args: argparse.Namespace) -> list[str]:
    """The services for a person, with their nodes."""
    from supervisor.cli.commands import status as local

    wide, replicas = getattr(args, "format", "") == "wide", getattr(args, "replicas", False)
    columns: tuple[str, ...] = local.WIDE if wide else local.COLUMNS
    columns = (columns[0], "NODE", *columns[1:])
    cells = []
    for each in rows:
        name, port, state, *more = local.cells_of(each.row, wide, 0.0)
        cells.append([name, each.node, port, words.state_with_age(state, each.ready_s), *more])
        if replicas:
            cells += [[line[0], "", *line[1:]] for line in local.lines_of_replicas(each.row, wide, 0.0)]
    cells = [[*line, *[""] * (len(columns) - len(line))] for line in cells]
    return render.table(
        columns, cells, numbers=("PORT", "PID", "UPTIME", "RESTARTS", "EXIT"), paints={},
        color=render.wants_color(args.color, sys.stdout), width=render.width_of(sys.stdout),
        optional=("RESTARTS", "UPTIME", "EXIT", "PID", "HEALTH", "HANDOFF", "RESULT"),
    )  # fmt: skip


def planned(plan: "dict[str, Any]") -> list[str]:
    """What `up` would do, for a person."""
    cells = []
    for name in plan["order"]:
        part = plan["services"][name]
        pool = part["pool"]
        ports = "" if not pool else f"{pool[0]}-{pool[-1]}" if len(pool) > 1 else str(pool[0])
        cells.append([name, ports, words.place(part["place"]), words.needs(part["needs"])])
    return render.table(("NAME", "POOL", "PLACE", "NEEDS"), cells, numbers=(), paints={}, color=False, width=None)


def logs(cluster: "Cluster", args: argparse.Namespace) -> int:
    """What the services wrote, on all nodes."""
    from supervisor.api.values import FoundLine, LogQuery, as_json
    from supervisor.cli.arguments import ALL
    from supervisor.control.json_form import read
    from supervisor.dataclass import replace

    if args.follow and args.until is not None:
        raise words.follow_until()
    cluster.check(args.services)
    names = args.services or cluster.plan()["order"]
    count = 100 if args.lines is None else None if args.lines == ALL else args.lines
    query = LogQuery(
        args.grep, args.ignore_case, args.level, tuple(args.json_field), args.since, args.until, args.since_restart,
        args.context, count,
    )  # fmt: skip
    width = max(map(len, names), default=0)

    def tell(line: FoundLine) -> None:
        if args.json:
            print(render.json_line(as_json(line)))
            return
        prefix = "" if args.no_prefix else f"{line.service:<{width}} | "
        moment = f"{line.time} " if args.timestamps else ""
        print(f"{prefix}{moment}{tamed(line.message)}")

    if args.follow:
        later = replace(query, count=None, since=time.time(), since_restart=False)
        asked = as_json(query), as_json(later)
        return _follow(cluster, "logs", names, asked, lambda told: tell(read(FoundLine, told)))
    for line in cluster.logs(names, query):
        tell(line)
    _warn(cluster, args)
    return int(ExitCode.OK)


def _warn(cluster: "Cluster", args: argparse.Namespace) -> None:
    """Says which nodes did not tell what they have."""
    sys.stdout.flush()
    for node, why in cluster.silent.items():
        warn(words.node_is_silent(node, why), args.color)


def events(cluster: "Cluster", args: argparse.Namespace) -> int:
    """What happened to the services, on all nodes."""
    from supervisor.api.values import Event, line_of
    from supervisor.cli.arguments import ALL
    from supervisor.cli.commands.events import line
    from supervisor.control.json_form import read
    from supervisor.logs.line import rfc3339

    if args.follow and args.until is not None:
        raise words.follow_until()
    cluster.check(args.services)
    names = args.services or cluster.plan()["order"]
    is_all = args.lines == ALL or (args.lines is None and args.since is not None)
    count = _MANY if is_all else 100 if args.lines is None else args.lines
    since = rfc3339(args.since) if args.since is not None else ""
    until = rfc3339(args.until) if args.until is not None else "~"
    color = render.wants_color(args.color, sys.stdout)

    def is_meant(event: Event) -> bool:
        return since <= event.time <= until

    def tell(event: Event) -> None:
        if is_meant(event):
            told = line_of(event)
            print(render.json_line(told) if args.json else line(told, color))

    if args.follow:
        return _follow(cluster, "events", names, (count, _MANY), lambda told: tell(read(Event, told)))
    found = list(filter(is_meant, cluster.events(names, _MANY if args.until is not None else count)))
    for event in found[max(0, len(found) - count) :]:
        tell(event)
    _warn(cluster, args)
    return int(ExitCode.OK)


def _follow(
    cluster: "Cluster", method: str, services: "list[str]", asked: "tuple[Any, Any]", tell: "Callable[[Any], None]"
) -> int:
    """Tells of what has been, and of what comes, until the stack is down."""
    from supervisor.cluster.following import Following

    following = Following(cluster, method, services, *asked)
    while True:
        is_there = cluster.is_there()
        for each in following.more():
            tell(each)
        sys.stdout.flush()
        if not is_there:
            return int(ExitCode.OK)
        time.sleep(_LOOK_EVERY)


def why(cluster: "Cluster", args: argparse.Namespace) -> int:
    """Why a service is as it is, on the node that has it or had it."""
    from supervisor.api.values import as_json
    from supervisor.cli.commands import why as local

    cluster.check([args.service])
    told = cluster.why(args.service, args.failures, args.lines)
    _warn(cluster, args)
    if args.format == "json":
        print(render.json_line(as_json(told)))
        return int(ExitCode.OK)
    [placed] = [each for each in cluster.status() if each.row.name == args.service]
    if placed.row.reason:
        print(words.not_ready(args.service, placed.row.state, placed.row.reason) + "\n")
    show(local.text(told, placed.row, render.wants_color(args.color, sys.stdout)))
    return int(ExitCode.OK)


def show(lines: list[str]) -> None:
    """Prints them."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
