"""What the commands do with `--on`: the same for a stack on a cluster, by `supervisor.cluster`."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.cli.config_files import current_directory, files_asked
from supervisor.cli.version import version
from supervisor.core.escapes import tamed
from supervisor.errors import ExitCode, Missing
from supervisor.words import answers
from supervisor.words import cluster as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cluster.face import Cluster, Placed
    from supervisor.config.spec import StackSpec

# What a command can do on one machine only: its option, as argparse has it, and as people write it.
_NOT_HERE = {
    "up": {
        "strict_ports": "--strict-ports", "abort_on_exit": "--abort-on-exit", "abort_on_failure": "--abort-on-failure",
        "exit_code_from": "--exit-code-from", "dry_run": "--dry-run",
    },
    "status": {"watch": "--watch", "resources": "--resources"},
    "logs": {"follow": "--follow"},
    "events": {"follow": "--follow", "until": "--until", "since": "--since"},
    "restart": {"rolling": "--rolling"},
}  # fmt: skip
_COLUMNS = ("NAME", "NODE", "PORT", "STATE", "HEALTH", "PID", "UPTIME", "RESTARTS")


def run(args: argparse.Namespace) -> int:
    """Carries out a command on a cluster; the exit code."""
    for name, option in _NOT_HERE.get(args.command, {}).items():
        if getattr(args, name, None):
            raise words.not_here(option)
    try:
        from supervisor.cluster import engine
    except ImportError as error:
        raise Missing("ray", error) from error
    if args.command == "up":
        return _up(args)
    with engine.connected(args.on):
        return _DOERS[args.command](_cluster(args), args)


def _up(args: argparse.Namespace) -> int:
    from supervisor.cluster import engine
    from supervisor.cluster.face import Cluster
    from supervisor.cluster.plan import plan
    from supervisor.config.selection import active_profiles, selected

    spec = _spec(args)
    for name in args.services:
        if name not in spec.services:
            raise answers.no_service(name, spec.services)
    chosen = selected(spec, args.services, active_profiles(spec, args.profile, os.environ))
    made = plan(spec, args.instance or 1, chosen, version())
    for warning in spec.warnings:
        warn(warning, args.color)
    begun = time.monotonic()
    failed = False

    def tell(each: "Placed") -> None:
        nonlocal failed
        if each.row.is_fine:
            address = (each.row.url or "").removeprefix("http://")
            say(words.ready_on(each.row.name, each.node, address, time.monotonic() - begun))
        else:
            failed = True
            say(words.not_ready(each.row.name, each.row.state, each.row.reason))

    with engine.connected(args.on, os.fspath(spec.directory)):
        cluster = Cluster.make(made)
        rows = cluster.wait(args.wait_timeout, tell)
        _print(_table(rows, args))
        if failed:
            return int(ExitCode.GAVE_UP)
        say(words.is_up(cluster.stack, cluster.instance, time.monotonic() - begun))
    return int(ExitCode.OK)


def _spec(args: argparse.Namespace) -> "StackSpec":
    from supervisor.config.load import load_asked
    from supervisor.config.names import find_asked

    return load_asked(find_asked(current_directory(), files_asked(args)), os.environ)


def _cluster(args: argparse.Namespace) -> "Cluster":
    """The stack of this folder, else the only one that there is."""
    from supervisor.cluster.face import Cluster
    from supervisor.config.names import file_near

    name = _spec(args).name if files_asked(args) or file_near(current_directory()) else None
    return Cluster.find(name, args.instance)


def _status(cluster: "Cluster", args: argparse.Namespace) -> int:
    cluster.check(args.services)
    rows = [each for each in cluster.status() if not args.services or each.row.name in args.services]
    if args.quiet:
        _print([each.row.name for each in rows])
    elif args.format == "json":
        _print([render.json_line(_told(each)) for each in rows])
    else:
        _print(_table(rows, args))
        reasons = [words.not_ready(each.row.name, each.row.state, each.row.reason) for each in rows]
        if late := [why for why, each in zip(reasons, rows, strict=True) if each.row.reason and not each.row.is_fine]:
            say("\n" + "\n".join(late))
    return int(ExitCode.OK if all(each.row.is_fine for each in rows) else ExitCode.NOT_RUNNING)


def _told(each: "Placed") -> "dict[str, Any]":
    from supervisor.cli.rows import KEYS
    from supervisor.control.json_form import as_json

    row = as_json(each.row)
    of_node = {"node": each.node or None, "epoch": each.epoch, "heard_s": each.heard_s, "ready_s": each.ready_s}
    return {key: row[key] for key in KEYS} | of_node


def _table(rows: "list[Placed]", args: argparse.Namespace) -> list[str]:
    return render.table(
        _COLUMNS, [_cells(each) for each in rows], numbers=("PORT", "PID", "UPTIME", "RESTARTS"), paints={},
        color=render.wants_color(args.color, sys.stdout), width=render.width_of(sys.stdout),
        optional=("RESTARTS", "UPTIME", "PID", "HEALTH"),
    )  # fmt: skip


def _cells(each: "Placed") -> list[str]:
    row = each.row
    state = words.state_with_age(row.state, each.ready_s)
    cells = (
        row.name, each.node, row.port, state, "" if row.health == "none" else row.health, row.pid,
        render.duration(row.uptime_s), row.restarts,
    )  # fmt: skip
    return ["" if cell is None else str(cell) for cell in cells]


def _order(cluster: "Cluster", args: argparse.Namespace) -> int:
    arguments: dict[str, Any] = {"timeout": args.timeout} if getattr(args, "timeout", None) is not None else {}
    if args.command == "kill":
        from supervisor.cli.commands.kill import signal_number

        arguments["signal"] = signal_number(args.signal) if isinstance(args.signal, str) else args.signal
    services = [args.service] if args.command == "rotate" else args.services
    return _results(cluster.order(args.command, services, **arguments), args)


def _down(cluster: "Cluster", args: argparse.Namespace) -> int:
    return _results(cluster.down(args.timeout), args)


def _results(results: "list[dict[str, Any]]", args: argparse.Namespace) -> int:
    color = render.wants_color(args.color, sys.stderr)
    for each in results:
        text = f"{each['name']}: {each['words']}"
        say(text if each["ok"] else f"{render.paint('error:', 'red', color)} {text}")
    return int(ExitCode.OK if all(each["ok"] for each in results) else ExitCode.FAILURE)


def _logs(cluster: "Cluster", args: argparse.Namespace) -> int:
    from supervisor.api.values import LogQuery, as_json
    from supervisor.cli.arguments import ALL

    cluster.check(args.services)
    names = args.services or cluster.plan()["order"]
    count = 100 if args.lines is None else None if args.lines == ALL else args.lines
    query = LogQuery(
        args.grep, args.ignore_case, args.level, tuple(args.json_field), args.since, args.until, args.since_restart,
        args.context, count,
    )  # fmt: skip
    width = max(map(len, names), default=0)
    for line in cluster.logs(names, query):
        if args.json:
            print(render.json_line(as_json(line)))
            continue
        prefix = "" if args.no_prefix else f"{line.service:<{width}} | "
        moment = f"{line.time} " if args.timestamps else ""
        print(f"{prefix}{moment}{tamed(line.message)}")
    return int(ExitCode.OK)


def _events(cluster: "Cluster", args: argparse.Namespace) -> int:
    from supervisor.api.values import line_of
    from supervisor.cli.arguments import ALL
    from supervisor.cli.commands.events import line

    cluster.check(args.services)
    count = 50 if args.lines is None else 1_000_000 if args.lines == ALL else args.lines
    color = render.wants_color(args.color, sys.stdout)
    for event in cluster.events(args.services or cluster.plan()["order"], count):
        told = line_of(event)
        print(render.json_line(told) if args.json else line(told, color))
    return int(ExitCode.OK)


def _why(cluster: "Cluster", args: argparse.Namespace) -> int:
    from supervisor.api.values import as_json
    from supervisor.cli.commands import why

    cluster.check([args.service])
    told = cluster.why(args.service, args.failures, args.lines)
    if args.format == "json":
        print(render.json_line(as_json(told)))
        return int(ExitCode.OK)
    [placed] = [each for each in cluster.status() if each.row.name == args.service]
    if placed.row.reason:
        print(words.not_ready(args.service, placed.row.state, placed.row.reason) + "\n")
    _print(why.text(told, placed.row, render.wants_color(args.color, sys.stdout)))
    return int(ExitCode.OK)


def _address(cluster: "Cluster", args: argparse.Namespace) -> int:
    cluster.check([args.service])
    [placed] = [each for each in cluster.status() if each.row.name == args.service]
    if placed.row.port is None:
        raise answers.no_address(args.command, args.service, placed.row.state, placed.row.reason)
    print(placed.row.port if args.command == "port" else placed.row.url)
    return int(ExitCode.OK)


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


_DOERS: "dict[str, Callable[[Cluster, argparse.Namespace], int]]" = {
    "down": _down,
    "events": _events,
    "kill": _order,
    "logs": _logs,
    "port": _address,
    "restart": _order,
    "rotate": _order,
    "start": _order,
    "status": _status,
    "stop": _order,
    "url": _address,
    "why": _why,
}
