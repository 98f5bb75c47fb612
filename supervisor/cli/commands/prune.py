"""`portsup prune`: ends what runs that are over have left, and removes their files, after asking."""

import argparse
import sys

from supervisor.cli import render
from supervisor.cli.complaint import say, warn
from supervisor.errors import PortsupError, UsageError

EXAMPLES = """\
  portsup prune              show what ended runs left, ask, and clean up
  portsup prune --dry-run    only show it
  portsup prune --yes        do not ask, for scripts

portsup recognizes processes by the run that started them. A run has ended if
nobody holds a lock of it. prune does not touch running instances."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prune`."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="only show what is left")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(args: argparse.Namespace) -> int:
    """Clean up; raises `PortsupError` when something could not be removed."""
    from supervisor.doctor.leftovers import orphans, remove, stale_files
    from supervisor.logs.state_dir import check_state
    from supervisor.ports.folders import Folders
    from supervisor.ports.runs import dead_runs
    from supervisor.ports.runtime import RuntimeDir
    from supervisor.process import tree
    from supervisor.process.view import require_view

    require_view("cannot tell which processes are left")
    runtime = RuntimeDir.find()
    folders = Folders(check_state())
    processes, files = orphans(runtime), list(stale_files(runtime))
    gone = [each for each in folders.all() if not each.exists]
    if folders.trouble:
        warn(folders.trouble, args.color)
    if args.format == "json":
        for each in processes:
            print(render.json_line({"kind": "process", "pid": each.pid, "name": each.name, "service": each.service}))
        for file in files:
            print(render.json_line({"kind": "file", "path": file.path, "what": file.what}))
        for one in gone:
            number = {"stack": one.stack, "instance": one.number, "directory": one.folder}
            print(render.json_line({"kind": "number", **number}))
    elif not processes and not files and not gone:
        say("nothing is left of runs that are over")
    else:
        for each in processes:
            print(f"process {each.pid} `{render.printable(each.name)}` of service `{render.printable(each.service)}`")
        for file in files:
            print(f"file {file.path}: {file.what}")
        for one in gone:
            print(f"number {one.number} of `{one.stack}`, of a folder that is gone: {render.printable(one.folder)}")
    if args.dry_run or not (processes or files or gone):
        return 0
    sys.stdout.flush()
    if not args.yes and not _agrees(len(processes), len(files), len(gone)):
        say("nothing was changed")
        return 0
    kept = []
    for run_id in sorted({each.run_id for each in processes} & dead_runs(runtime)):
        kept += [f"process {each.pid} is still alive after SIGKILL" for each in tree.reap_run(run_id) if not each.gone]
    # Records last: as long as one tells of a run, the next `up` knows its processes.
    if not kept:
        kept = [f"`{file.path}` is in use again or cannot be written" for file in files if not remove(file)]
    if kept:
        raise PortsupError("cannot remove everything", "; ".join(kept), "`portsup doctor` shows what is still there")
    told = f"ended {len(processes)} processes, removed {len(files)} files"
    if gone:
        try:
            told += f", forgot {folders.forget_gone()} numbers"
        except OSError as error:
            why = f"`{folders.path}`: {error.strerror or error}"
            raise PortsupError("cannot forget the numbers of gone folders", why) from None
    say(told)
    return 0


def _agrees(processes: int, files: int, numbers: int) -> bool:
    if not render.is_terminal(sys.stdin):
        raise UsageError("cannot ask whether to go on", "the input is no terminal", "say so with --yes, or --dry-run")
    also = f", and forget {numbers} numbers" if numbers else ""
    say(f"end {processes} processes and remove {files} files{also}? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
