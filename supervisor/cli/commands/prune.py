"""`portsup prune`: ends what runs that are over have left, and removes their files, after asking."""

import argparse
import io
import sys

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.cli.parser import add_format
from supervisor.errors import UsageError
from supervisor.words import leftovers

EXAMPLES = """\
  portsup prune              show what ended runs left, ask, and clean up
  portsup prune --dry-run    only show it
  portsup prune --yes        do not ask, for scripts

portsup recognizes processes by the run that started them. A run has ended if
nobody holds a lock of it. prune does not touch running instances."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prune`."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="show what is left, and remove nothing")
    add_format(parser, "text", "json")


def run(args: argparse.Namespace) -> int:
    """Clean up; raises `PortsupError` when something could not be removed."""
    from supervisor.api.machine import left_over, remove_left_over

    left = left_over()
    processes, files, gone = left.processes, left.files, left.numbers
    if left.trouble:
        warn(left.trouble, args.color)
    if args.format == "json":
        for each in processes:
            whose = {"service": each.service, "stack": each.stack}
            print(render.json_line({"kind": "process", "pid": each.pid, "name": each.name, **whose}))
        for file in files:
            print(render.json_line({"kind": "file", "path": file.path, "what": file.what}))
        for one in gone:
            number = {"stack": one.stack, "instance": one.instance, "directory": one.folder}
            print(render.json_line({"kind": "number", **number}))
    elif not processes and not files and not gone:
        say(leftovers.NOTHING)
    else:
        for each in processes:
            name, service = render.printable(each.name), render.printable(each.service)
            print(leftovers.process(each.pid, name, service, each.stack))
        for file in files:
            print(leftovers.file(file.path, file.what))
        for one in gone:
            print(leftovers.number(one.instance, one.stack, render.printable(one.folder)))
    if args.dry_run or not (processes or files or gone):
        return 0
    sys.stdout.flush()
    if not args.yes and not _agrees(len(processes), len(files), len(gone)):
        say(leftovers.UNCHANGED)
        return 0
    forgotten = remove_left_over()
    say(leftovers.removed(len(processes), len(files), forgotten if gone else None))
    return 0


def _agrees(processes: int, files: int, numbers: int) -> bool:
    if not render.is_terminal(sys.stdin):
        raise UsageError("cannot ask whether to go on", "the input is no terminal", "add `--yes`, or `--dry-run`")
    say(leftovers.question(processes, files, numbers))
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is typed need be no text
    return sys.stdin.readline().strip().lower() in ("y", "yes")
