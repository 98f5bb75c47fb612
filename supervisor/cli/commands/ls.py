"""`portsup ls`: what runs on this machine for this user."""

import argparse
import os
import sys

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.cli.parser import add_format
from supervisor.cli.target import instances
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.ports.instances import InstanceInfo

EXAMPLES = """\
  portsup ls
  portsup ls --all             also directories in which nothing runs
  portsup ls --format json     one JSON object per line

PID is `-` (JSON: null) if the instance runs in another PID namespace."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ls`."""
    add_format(parser, "table", "json")
    parser.add_argument("-a", "--all", action="store_true", help="also list directories in which nothing runs")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only the numbers of the instances")


def run(args: argparse.Namespace) -> int:
    """Print the running instances; none is no error."""
    records = [_record(info) for info in sorted(instances(), key=lambda info: (info.stack, info.instance))]
    if args.all:
        records = sorted(records + _at_rest(records), key=lambda record: (record["stack"], record["instance"]))
    if args.quiet:
        print(end="".join(f"{number}\n" for number in sorted({record["instance"] for record in records})))
        return 0
    if args.format == "json":
        for record in records:
            print(render.json_line(record))
        return 0
    if not records:
        say(answers.NO_INSTANCE)
        return 0
    lines = render.table(
        ("STACK", "INSTANCE", "PID", "UPTIME", "FILE"),
        [_cells(record) for record in records],
        numbers=("INSTANCE", "PID", "UPTIME"),
        width=render.width_of(sys.stdout),
        optional=("UPTIME", "PID"),
    )
    print("\n".join(lines))
    return 0


def _at_rest(running: "list[dict[str, Any]]") -> "list[dict[str, Any]]":
    """The numbers that folders had, and get again, where nothing runs with them."""
    from supervisor.logs.state_dir import check_state
    from supervisor.ports.folders import Folders

    taken = {(record["stack"], record["instance"]) for record in running}
    empty = dict.fromkeys(("pid", "uptime_s", "file", "socket", "run_id"))
    folders = Folders(check_state())
    remembered = folders.all()
    if folders.trouble:
        warn(folders.trouble)
    return [
        {"stack": each.stack, "instance": each.number, "directory": each.folder, **empty, "over": []}
        for each in remembered
        if (each.stack, each.number) not in taken and each.exists
    ]


def _cells(record: "dict[str, Any]") -> list[str]:
    if record["file"] is None:
        return [record["stack"], str(record["instance"]), "-", "-", record["directory"]]
    pid = "-" if record["pid"] is None else str(record["pid"])
    return [record["stack"], str(record["instance"]), pid, render.duration(record["uptime_s"]), _files(record)]


def _files(record: "dict[str, Any]") -> str:
    """The first file as it is, and what is laid over it as seen from there."""
    folder = os.path.dirname(record["file"])
    return ", ".join((record["file"], *(os.path.relpath(path, folder) for path in record["over"])))


def _record(info: "InstanceInfo") -> "dict[str, Any]":
    import time

    return {
        "stack": info.stack,
        "instance": info.instance,
        "pid": info.pid_here,
        "uptime_s": round(max(0.0, time.time() - info.started_at), 3),
        "directory": str(info.directory),
        "file": str(info.file),
        "over": list(info.over),
        "socket": str(info.socket),
        "run_id": info.run_id,
    }
