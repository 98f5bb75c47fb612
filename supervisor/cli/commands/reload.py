"""`portsup reload`: the running instance becomes what services.yaml says now."""

import argparse
import sys
from collections.abc import Iterator

from supervisor.cli import render
from supervisor.cli.config_files import current_directory, files_asked
from supervisor.cli.parser import add_format
from supervisor.cli.progress import follow
from supervisor.cli.target import connect
from supervisor.config.names import find_asked
from supervisor.control.progress import Changes
from supervisor.words.answers import NOTHING_CHANGED, restarts_for_it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\
  portsup reload --dry-run         show the difference
  portsup reload                   apply it
  portsup -f services.yaml -f debug.yaml reload   use these files
  portsup reload --format json     one JSON object per line

If the file has a mistake, reload changes nothing and returns 2."""

_MARKS = {"added": "green", "removed": "red", "changed": "yellow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `reload`."""
    parser.add_argument("--dry-run", action="store_true", help="show the difference, and change nothing")
    add_format(parser, "text", "json")


def run(args: argparse.Namespace) -> int:
    """Print the difference, and follow what is done about it; 1 when it did not work for every service."""
    how: dict[str, Any] = {"dry_run": True} if args.dry_run else {}
    if asked := files_asked(args):
        how["files"] = list(find_asked(current_directory(), asked))
    answers = connect(args, changes=True).order("reload", **how)
    # It says first that it waits where to read the files takes long.
    found = (answer.difference for answer in answers)
    difference = next((each for each in found if each is not None), Changes((), (), ()))
    lines = list(_json_lines(difference) if args.format == "json" else _lines(difference, args))
    if lines or args.format == "text":
        print("\n".join(lines) or NOTHING_CHANGED, flush=True)
    return follow(answers, args)


def _rows(difference: Changes) -> Iterator[tuple[str, str, tuple[str, ...], bool]]:
    for name in difference.added:
        yield "added", name, (), False
    for name in difference.removed:
        yield "removed", name, (), False
    for each in difference.changed:
        yield "changed", each.name, each.keys, each.restarts


def _lines(difference: Changes, args: argparse.Namespace) -> Iterator[str]:
    color = render.wants_color(args.color, sys.stdout)
    for change, name, keys, restarts in _rows(difference):
        words = f": {', '.join(keys)}" if keys else ""
        end = restarts_for_it(restarts)
        yield f"{render.paint(f'{change:<8}', _MARKS[change], color)} {name}{words}{end}"
    mark = render.paint(f"{'changed':<8}", "yellow", color)
    for key in difference.top:
        yield f"{mark} {key}"


def _json_lines(difference: Changes) -> Iterator[str]:
    for change, name, keys, restarts in _rows(difference):
        yield render.json_line({"change": change, "service": name, "keys": keys, "restarts": restarts})
    for key in difference.top:
        yield render.json_line({"change": "changed", "service": None, "keys": [key], "restarts": False})
