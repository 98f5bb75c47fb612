"""What the commands do with `--on`: the same for a stack on a cluster, by `supervisor.cluster`."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from supervisor.cli import cluster_views, render
from supervisor.cli.complaint import say, warn
from supervisor.cli.config_files import current_directory, files_asked
from supervisor.cli.version import version
from supervisor.errors import ExitCode, Missing
from supervisor.words import answers
from supervisor.words import cluster as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cluster.face import Cluster, Placed
    from supervisor.config.spec import StackSpec

# What a command can do on one machine only: its option, as argparse has it, as people write it, and why.
_NOT_HERE = {
    "up": {
        "abort_on_exit": ("--abort-on-exit", words.NOBODY_STAYS),
        "abort_on_failure": ("--abort-on-failure", words.NOBODY_STAYS),
        "exit_code_from": ("--exit-code-from", words.NOBODY_STAYS),
    },
    "status": {"resources": ("--resources", words.NOT_MEASURED)},
}


def run(args: argparse.Namespace) -> int:
    """Carries out a command on a cluster; the exit code."""
    for name, (option, reason) in _NOT_HERE.get(args.command, {}).items():
        if getattr(args, name, None):
            raise words.not_here(option, reason)
    if args.command in words.ONE_MACHINE:
        raise words.not_here(f"`{args.command}`", words.ONE_MACHINE[args.command], is_command=True)
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
    from supervisor.cluster.plan import plan, without_effect
    from supervisor.config.selection import active_profiles, selected

    spec = _as_asked(_spec(args), args)
    for name in args.services:
        if name not in spec.services:
            raise answers.no_service(name, spec.services)
    chosen = selected(spec, args.services, active_profiles(spec, args.profile, os.environ))
    made = plan(spec, args.instance or 1, chosen, version())
    for warning in (*spec.warnings, *words.not_kept(without_effect(spec, made["order"]))):
        warn(warning, args.color)
    if args.dry_run:
        with engine.connected(args.on):
            Cluster.require_room(made)
        say(words.would_start(made["stack"], made["instance"]))
        cluster_views.show(cluster_views.planned(made))
        return int(ExitCode.OK)
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
        cluster_views.show(cluster_views.table(rows, args))
        if failed:
            return int(ExitCode.GAVE_UP)
        say(words.is_up(cluster.stack, cluster.instance, time.monotonic() - begun))
    return int(ExitCode.OK)


def _spec(args: argparse.Namespace) -> "StackSpec":
    from supervisor.config.load import load_asked
    from supervisor.config.names import find_asked

    return load_asked(find_asked(current_directory(), files_asked(args)), os.environ)


def _as_asked(spec: "StackSpec", args: argparse.Namespace) -> "StackSpec":
    """The stack with what the options of `up` say of its services."""
    from supervisor.config.spec import HandoffMode
    from supervisor.dataclass import replace

    services = dict(spec.services)
    if args.handoff == "off":
        services = {name: replace(each, handoff=HandoffMode.OFF) for name, each in services.items()}
    return replace(spec, services=services, strict_ports=spec.strict_ports or args.strict_ports)


def _cluster(args: argparse.Namespace) -> "Cluster":
    """The stack of this folder, else the only one that there is."""
    from supervisor.cluster.face import Cluster
    from supervisor.config.names import file_near

    name = _spec(args).name if files_asked(args) or file_near(current_directory()) else None
    return Cluster.find(name, args.instance)


def _order(cluster: "Cluster", args: argparse.Namespace) -> int:
    arguments: dict[str, Any] = {"timeout": args.timeout} if getattr(args, "timeout", None) is not None else {}
    if getattr(args, "rolling", False):
        arguments["rolling"] = True
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


def _address(cluster: "Cluster", args: argparse.Namespace) -> int:
    cluster.check([args.service])
    [placed] = [each for each in cluster.status() if each.row.name == args.service]
    if placed.row.port is None:
        raise answers.no_address(args.command, args.service, placed.row.state, placed.row.reason)
    print(placed.row.port if args.command == "port" else placed.row.url)
    return int(ExitCode.OK)


_DOERS: "dict[str, Callable[[Cluster, argparse.Namespace], int]]" = {
    "down": _down,
    "events": cluster_views.events,
    "kill": _order,
    "logs": cluster_views.logs,
    "port": _address,
    "restart": _order,
    "rotate": _order,
    "start": _order,
    "status": cluster_views.status,
    "stop": _order,
    "url": _address,
    "why": cluster_views.why,
}
