"""`portsup ports`: who has which port, in this instance or on the whole machine."""

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterator

from supervisor.cli import render
from supervisor.cli.complaint import say
from supervisor.cli.parser import add_format
from supervisor.cli.target import connect, instances
from supervisor.errors import PortsupError
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\
  portsup ports                    the ports of this instance, and their holders
  portsup ports --all              all ports that portsup holds for you
  portsup ports --format json      one JSON object per line"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ports`."""
    parser.add_argument(
        "-a",
        "--all",
        action="store_true",
        help="list all ports that portsup holds for you, and strangers",
    )
    add_format(parser, "table", "json")


def run(args: argparse.Namespace) -> int:
    """Print the ports; with --all none is no error."""
    columns, records = _everywhere() if args.all else _of_instance(args)
    if args.format == "json":
        for record in records:
            print(render.json_line(record))
        return 0
    if not records:
        say(answers.NO_PORT_LEASED)
        return 0
    lines = render.table(
        [column.upper() for column in columns],
        [["" if record[column] is None else str(record[column]) for column in columns] for record in _aged(records)],
        numbers=("PORT", "INSTANCE", "PID", "SINCE"),
        paints={("STATE", "active"): "green", ("STATE", "taken"): "red", ("STATE", "quarantined"): "yellow"},
        color=render.wants_color(args.color, sys.stdout),
        width=render.width_of(sys.stdout),
        optional=("SINCE", "PID"),
    )
    print("\n".join(lines))
    return 0


def _of_instance(args: argparse.Namespace) -> "tuple[tuple[str, ...], list[dict[str, Any]]]":
    answer = connect(args).status()
    records = [
        {
            "port": port.port,
            "stack": answer.stack,
            "instance": answer.instance,
            "service": row.name,
            "state": port.state,
            "holder": port.holder,
            "pid": row.pid if port.state == "active" else None,
        }
        for row in answer.services
        for port in row.pool
    ]
    return ("port", "service", "state", "pid", "holder"), records


def _everywhere() -> "tuple[tuple[str, ...], list[dict[str, Any]]]":
    leases = list(_leases())
    strangers = list(_strangers({lease["port"] for lease in leases}))
    columns = ("port", "stack", "instance", "service", "pid", "since", *(("holder",) if strangers else ()))
    return columns, sorted([*leases, *strangers], key=lambda one: int(one["port"]))


def _leases() -> "Iterator[dict[str, Any]]":
    """Every port whose lock is held; who has it is what the record beside the lock says."""
    from supervisor import system
    from supervisor.ports.instances import is_held
    from supervisor.ports.record import Record
    from supervisor.ports.runtime import RuntimeDir

    runtime = RuntimeDir.find()
    try:
        names = os.listdir(runtime.ports)
    except OSError:
        return
    for name in names:
        number = name.removesuffix(".lock")
        if number == name or not (number.isascii() and number.isdigit()):
            continue
        port = int(number)
        if not is_held(runtime.port_lock(port)):
            continue
        record = Record.read(runtime.port_record(port))
        yield {
            "port": port,
            "stack": record and record.stack,
            "instance": record and record.instance,
            "service": record and record.service,
            "pid": record and record.owner.seen_from(system.pid_namespace()),
            "run_id": record and record.run_id,
            "since": record and record.since,
            "holder": "",
        }


def _strangers(leased: "Collection[int]") -> "Iterator[dict[str, Any]]":
    """The ports of running pools that nobody has leased, and who sits on them."""
    from supervisor.control.client import Client

    for info in instances():
        try:
            answer = Client(info.socket).status()
        except PortsupError:  # it is just ending
            continue
        for row in answer.services:
            for port in row.pool:
                if port.state == "taken" and port.port not in leased:
                    known = {"stack": info.stack, "instance": info.instance, "service": row.name}
                    unknown = {"pid": None, "run_id": None, "since": None}
                    yield {"port": port.port, **known, **unknown, "holder": port.holder}


def _aged(records: "list[dict[str, Any]]") -> "Iterator[dict[str, Any]]":
    """The records as a table shows them: how long ago instead of when."""
    now = time.time()
    for record in records:
        since = record.get("since")
        yield record if since is None else record | {"since": render.duration(now - since)}
