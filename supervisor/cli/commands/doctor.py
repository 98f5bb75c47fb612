"""`portsup doctor`: what may be wrong on this machine or in this services.yaml, and what to do about it."""

import argparse
import os
import sys
from collections.abc import Iterator

from supervisor.cli import render
from supervisor.cli.config_files import config_near, current_directory, files_asked
from supervisor.cli.parser import add_format
from supervisor.errors import ExitCode, PortsupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.config.spec import StackSpec
    from supervisor.doctor.finding import Finding
    from supervisor.ports.instances import InstanceInfo
    from supervisor.ports.runtime import RuntimeDir

EXAMPLES = """\
  portsup doctor                  each problem with its remedy
  portsup doctor --all            also what is fine
  portsup doctor --format json    one JSON object per line

exit codes: 0 nothing keeps `up` from working, 1 something does"""

PATIENCE = 2.0  # seconds that an instance gets to answer
LONG_STALL = 1.0  # seconds; each such stall is an event

_COLORS = {"error": "red", "warning": "yellow", "note": "cyan", "ok": "green"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("-a", "--all", action="store_true", help="also show what is fine")
    add_format(parser, "text", "json")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is an error."""
    from supervisor.doctor.finding import Level
    from supervisor.words import findings as words

    findings = list(_examine(args))
    shown = [each for each in findings if args.all or args.format == "json" or each.level is not Level.OK]
    color = render.wants_color(args.color, sys.stdout)
    for each in shown:
        if args.format == "json":
            print(
                render.json_line({"check": each.check, "level": each.level, "what": each.what, "remedy": each.remedy})
            )
            continue
        print(f"{render.paint(str(each.level), _COLORS[each.level], color)}: {render.printable(each.what)}")
        if each.remedy:
            print(f"    {render.printable(each.remedy)}")
    if args.format == "text":
        wrong = sum(each.level is not Level.OK for each in findings)
        print(words.summary(len(findings), wrong))
    return int(ExitCode.FAILURE if any(each.level is Level.ERROR for each in findings) else ExitCode.OK)


def _examine(args: argparse.Namespace) -> "Iterator[Finding]":
    from supervisor.doctor import machine
    from supervisor.doctor.finding import Finding, Level
    from supervisor.logs.state_dir import state_directory
    from supervisor.ports.instances import running
    from supervisor.ports.runtime import RuntimeDir, default_path
    from supervisor.words import findings as words

    yield from machine.check_names()
    yield from machine.check_handoff()
    yield from machine.check_ipv6()
    yield from machine.check_null()
    yield from machine.check_watches()
    yield from machine.check_directory("runtime", os.path.abspath(default_path()))
    yield from machine.check_directory("state", state_directory())
    runtime: RuntimeDir | None = None
    instances: list[InstanceInfo] = []
    try:
        runtime = RuntimeDir.find()
        instances = running(runtime)
    except PortsupError as error:
        yield Finding("runtime", Level.ERROR, f"{error.what}: {error.why}", error.hint)
    yield from machine.check_namespaces(instances)
    yield from machine.check_clock(instances)
    yield from _loops(instances)
    if runtime is not None:
        yield from _leftovers(runtime)
    if not files_asked(args) and config_near(current_directory()) is None:
        yield Finding("services.yaml", Level.NOTE, *words.NO_FILE)
        return
    from supervisor.cli.commands.config import load

    try:
        stack = load(files_asked(args))
    except PortsupError as error:
        yield Finding("services.yaml", Level.ERROR, f"{error.what}: {error.why}", words.WHERE)
        return
    yield from machine.check_descriptors(len(stack.services))
    if any(service.watch for service in stack.services.values()):
        from supervisor.doctor.watched_files import check_watched

        yield from check_watched(stack.services)
    if stack.names is not None:
        from supervisor.api.name_proxy import usable_caddy
        from supervisor.doctor.name_proxy import check_names

        yield from check_names(usable_caddy)
    if runtime is not None:
        yield from _stack(stack, runtime, instances, args.instance)


def _loops(instances: "list[InstanceInfo]") -> "Iterator[Finding]":
    from supervisor.cli.rows import loop_words
    from supervisor.control.client import Client
    from supervisor.doctor.finding import Finding, Level
    from supervisor.words import findings as words

    for info in instances:
        try:
            loop = Client(info.socket, patience=PATIENCE).status().loop
        except PortsupError as error:
            yield Finding("loop", Level.WARNING, *words.silent(info.stack, info.instance, error))
            continue
        if loop is None:  # it runs since before there was such an account
            continue
        is_well = loop.longest_stall_s < LONG_STALL
        told = words.stalls(info.stack, info.instance, loop_words(loop), is_well)
        yield Finding("loop", Level.OK if is_well else Level.WARNING, *told)


def _leftovers(runtime: "RuntimeDir") -> "Iterator[Finding]":
    from supervisor.doctor.finding import Finding, Level
    from supervisor.doctor.leftovers import orphans, stale_files
    from supervisor.words import findings as words

    left = orphans(runtime)
    for each in left:
        yield Finding("orphans", Level.WARNING, *words.orphan(each.name, each.pid, each.service, each.stack))
    files = list(stale_files(runtime))
    if files:
        yield Finding("stale-files", Level.NOTE, *words.stale_files(len(files), runtime.path))
    if not left and not files:
        yield Finding("leftovers", Level.OK, words.NOTHING_LEFT)


def _fetch_urls(stack: "StackSpec") -> dict[str, str]:
    """Where clients that refuse a service's port find it, when every service has the first port of its pool."""
    from supervisor.config.placeholders import fill

    first = {name: service.pool[0] for name, service in stack.services.items() if service.pool}
    return {
        name: fill(service.fetch_url, port=first.get(name), host="127.0.0.1", instance=1, endpoints=first)
        for name, service in stack.services.items()
        if service.fetch_url
    }


def _stack(
    stack: "StackSpec", runtime: "RuntimeDir", instances: "list[InstanceInfo]", instance: int | None
) -> "Iterator[Finding]":
    from supervisor import system
    from supervisor.config.files import outgoing_ports
    from supervisor.core.instance import max_instances, numbers_for, ports_of
    from supervisor.doctor import pools
    from supervisor.doctor.finding import Finding, Level
    from supervisor.doctor.strangers import holders, leases
    from supervisor.logs.state_dir import state_directory
    from supervisor.ports.folders import Folders
    from supervisor.words import findings as words

    facts = pools.Machine(
        outgoing_ports(), system.first_unprivileged_port(), system.current_user_id() == 0, system.reserved_ports()
    )
    given = {name: service.pool for name, service in stack.services.items()}
    yield from pools.check_pools(given, stack.stride, facts, instance or 1, _fetch_urls(stack))
    ours = {info.instance for info in instances if info.stack == stack.name}
    folders = Folders(state_directory())
    folder, fitting = os.path.realpath(stack.directory), max_instances(given, stack.stride)
    numbers = numbers_for(folder, folders.of(stack.name), fitting)
    number = instance or next((each for each in numbers if each not in ours), 1)
    yield Finding("instance", Level.OK, words.next_number(stack.name, number))
    if folders.trouble:
        yield Finding("instance", Level.WARNING, *words.damaged(folders.trouble, folders.path))
    if gone := sum(not each.exists for each in folders.all()):
        yield Finding("instance", Level.NOTE, *words.numbers_of_gone(gone))
    leased = leases(runtime)
    yield from pools.check_neighbours(stack.name, given, stack.stride, number, leased)
    found = False
    for name, pool in given.items():
        ports = ports_of(pool, number, stack.stride)
        taken = holders(ports, runtime, leased)
        for each in pools.check_strangers(name, taken, ports):
            found = True
            yield each
    if not found:
        yield Finding("taken", Level.OK, words.all_free(number))
