"""`portsup config`: services.yaml validated, or printed fully resolved."""

import argparse

from supervisor.cli.complaint import remark, say, warn
from supervisor.cli.config_files import files_asked
from supervisor.cli.parser import add_format, add_globals
from supervisor.words import files as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.config.spec import StackSpec

EXAMPLES = """\
  portsup config check    list all mistakes with file:line:column (exit code 2)
  portsup config show     with every default and variable filled in
  portsup config show --format json --reveal"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands `check` and `show`."""
    actions = parser.add_subparsers(dest="action", metavar="check|show", required=True)
    check = actions.add_parser(
        "check", help="list all mistakes of services.yaml", description="List all mistakes of services.yaml.",
        allow_abbrev=False,
    )  # fmt: skip
    add_globals(check, inherit=True)
    show = actions.add_parser(
        "show", help="print services.yaml fully resolved", description="Print services.yaml fully resolved.",
        allow_abbrev=False,
    )  # fmt: skip
    add_globals(show, inherit=True)
    add_format(show, "yaml", "json")
    show.add_argument("--services", action="store_true", help="print only the names of the services")
    show.add_argument("--reveal", action="store_true", help="show secrets instead of ***")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand; mistakes end in a `ConfigError`."""
    args.file = [*(args.file or []), *args.behind]
    stack = load(files_asked(args))
    for warning in stack.warnings:
        warn(warning, args.color)
    if args.action == "check":
        for note in stack.notes:
            remark(note, args.color)
        say(words.is_fine(_names(stack), bool(stack.over), stack.name, len(stack.services)))
        return 0
    if args.services:
        print("\n".join(stack.services))
        return 0
    if stack.over:
        say(words.merged(_names(stack)))
    from supervisor.config.show import resolved

    data = resolved(stack, args.reveal)
    if args.format == "json":
        import json

        print(json.dumps(data, indent=2))
    else:
        from supervisor.config.dump import as_yaml

        print(as_yaml(data), end="")
    return 0


def load(files: "Sequence[str]") -> "StackSpec":
    """The stack of these files, or of the services.yaml here or above; raises `ConfigError`."""
    import os

    from supervisor.cli.config_files import current_directory
    from supervisor.config.load import load_asked
    from supervisor.config.names import find_asked

    return load_asked(find_asked(current_directory(), files), os.environ)


def _names(stack: "StackSpec") -> str:
    import os

    from supervisor.config.names import shown

    return shown((str(stack.file), *(os.path.relpath(each, stack.directory) for each in stack.over)))
