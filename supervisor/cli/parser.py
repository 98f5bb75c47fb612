"""Command lines to arguments: the options every command takes, and the parser of the one command that was given."""

import importlib
import os
import sys
from collections.abc import Sequence

from supervisor.cli.commands import ALIASES, GROUPS, LINES, NOT_ON_CLUSTERS, ON_CLUSTERS, did_you_mean
from supervisor.cli.render import size_of
from supervisor.cli.untranslated import argparse
from supervisor.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from _typeshed import SupportsWrite

# Where a -f means follow, as everywhere else; the file is --file there, or -f before the command.
WITHOUT_SHORT_FILE = frozenset({"logs", "events"})
WITH_VALUE = {"-f": "--file", "--file": "--file", "--instance": "--instance", "--color": "--color"}
COLORS = ("auto", "always", "never")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal.

    argparse makes one for every argument that is added, and without a width each imports shutil with its compressors.
    """

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")[:9]
        super().__init__(prog, width=(int(columns) if columns.isdecimal() else size_of(sys.stdout)[0]) - 2)


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` whose complaints are `UsageError`s."""

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        """As that of argparse, which says nothing where the disk is full."""
        (file or sys.stdout).write(message)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> object:
        """As that of argparse, for which `--file=--` is an empty list before Python 3.13."""
        if action.option_strings and arg_strings == ["--"]:
            raise argparse.ArgumentError(action, "expected one argument")
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> "NoReturn":
        """Raise what is wrong as a `UsageError`, with the option that was probably meant."""
        hint = f"`{self.prog} --help` shows what it takes"
        if message.startswith("unrecognized arguments: "):
            wrong = message.removeprefix("unrecognized arguments: ").split(" ")[0].split("=")[0]
            options = [option for action in self._actions for option in action.option_strings]
            near = did_you_mean(wrong, options) if wrong.startswith("-") else ""
            hint = f"{near} {hint}" if near else hint
            message = message if wrong else "unrecognized argument: an empty one"
        raise UsageError("cannot understand the command line", message, hint)


def split(arguments: Sequence[str]) -> tuple[list[str], str, list[str]]:
    """The global options before the command (as `--name=value`), the command, and what follows it."""
    options: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word.startswith("-f") and not word.startswith("--") and len(word) > 2:
            name, equals, value = "-f", "=", word[2:].removeprefix("=")
        if name in WITH_VALUE:
            if not equals:
                if not rest:
                    raise UsageError("cannot understand the command line", f"`{word}` needs a value")
                value = rest.pop(0)
            options.append(f"{WITH_VALUE[name]}={value}")
        elif word in ("-h", "--help"):
            return options, "help", rest
        elif word in ("-V", "--version"):
            return options, "--version", rest
        else:
            near = did_you_mean(name, [*WITH_VALUE, "--help", "--version"])
            raise UsageError(
                "cannot understand the command line",
                f"there is no option `{name}` before the command",
                f"{near or 'write options of a command after it:'} `portsup --help` shows both",
            )
    return options, rest.pop(0) if rest else "", rest


def resolve(word: str) -> str:
    """The command that `word` names; raises `UsageError` with the closest one when there is none."""
    name = ALIASES.get(word, word)
    if name not in LINES:
        near = did_you_mean(word, [*LINES, *ALIASES])
        raise UsageError(
            f"cannot run `{word}`", "portsup has no such command", near or "`portsup --help` lists the commands"
        )
    return name


def build(command: str, parser: "argparse.ArgumentParser | None" = None) -> argparse.ArgumentParser:
    """The parser of one command; only the module of that command is imported."""
    module = importlib.import_module(f"supervisor.cli.commands.{command}")
    if parser is None:
        parser = Parser(prog=f"portsup {command}", formatter_class=Formatter)
    parser.description = f"{LINES[command][:1].upper()}{LINES[command][1:]}."
    examples = getattr(module, "EXAMPLES", "")
    parser.epilog = f"examples:\n{examples}" if examples else None
    parser.formatter_class = Formatter
    parser.allow_abbrev = False  # an option that is added later must not change what a script's `--fo` means
    parser.set_defaults(run=module.run, command=command)
    module.add_arguments(parser)
    add_globals(parser, short_file=command not in WITHOUT_SHORT_FILE)
    if command in ON_CLUSTERS or command in NOT_ON_CLUSTERS:
        told = "use this Ray cluster: auto, HOST:PORT or ray://HOST:10001"
        parser.add_argument(
            "--on", metavar="ADDRESS", default=os.environ.get("PORTSUP_ON") or None,
            help=told if command in ON_CLUSTERS else argparse.SUPPRESS,
        )  # fmt: skip
    return parser


def add_globals(parser: argparse.ArgumentParser, short_file: bool = True, inherit: bool = False) -> None:
    """The options that may stand before the command or behind it; `inherit` is for the level below a command."""
    group = parser.add_argument_group("options of every command")
    names = ["-f", "--file"] if short_file else ["--file"]
    nothing = argparse.SUPPRESS if inherit else None
    group.add_argument(
        *names, metavar="FILE", action="append", default=[] if inherit else None, dest="behind" if inherit else "file",
        help="use this services.yaml, and merge further ones over it",
    )  # fmt: skip
    group.add_argument(
        "--instance", metavar="N", type=instance_number, default=nothing, help="use instance N: 1, 2, ..."
    )
    group.add_argument("--color", choices=COLORS, default=nothing or "auto", help="colour the output (default: auto)")


def add_format(parser: argparse.ArgumentParser, *formats: str) -> None:
    """The option `--format` of a command that can print in each of these; the first is the default."""
    told = f"print in this format (default: {formats[0]})"
    parser.add_argument("--format", choices=formats, default=formats[0], help=told)


def instance_number(text: str) -> int:
    """An instance number as typed on the command line."""
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"`{text}` is not an instance number: write 1, 2, ...")


def seconds(text: str) -> float:
    """A duration in seconds as typed on the command line: `10`, `0.5`, `10s`, `2m`, `1h`, `1d`."""
    unit = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}.get(text[-1:], 0.0)
    try:
        value = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        value = -1.0
    if 0 <= value < 1e10:
        return value
    raise argparse.ArgumentTypeError(f"`{text}` is not a duration: write 10, 0.5, 10s, 2m or 1h")


def overview() -> str:
    """The help of `portsup` as a whole."""
    lines = ["usage: portsup [-f FILE] [--instance N] [--color WHEN] COMMAND ...", ""]
    lines.append("Run the services of services.yaml, each on a port that nobody else can take.")
    for title, commands in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<12}{line}" for name, line in commands.items()]
    lines += [
        "",
        "options, before or after the command:",
        "  -f, --file FILE   use this services.yaml (default: the nearest one);",
        "                    give it again to merge further files over it",
        "  --instance N      use this instance, if several run",
        "  --color WHEN      auto (on a terminal, without NO_COLOR), always or never",
        "  -h, --help        print this help, or that of a command with examples",
        "  -V, --version     print the version",
        "",
        "exit codes: 0 done, 1 failed, 2 usage or configuration, 3 not all are running,",
        "4 no such service or instance, 10 a service failed, 11 a service is unhealthy,",
        "12 pool exhausted, 13 lock lost, 14 instance taken, 15 hung, 70 internal error,",
        "124 timed out, 130 or 143 interrupted.",
    ]
    return "\n".join(lines)


def full() -> argparse.ArgumentParser:
    """One parser with every command below it, as completion needs it."""
    parser = Parser(prog="portsup", allow_abbrev=False)
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    add_globals(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    names_of = {name: [alias for alias, of in ALIASES.items() if of == name] for name in LINES}
    for name, line in LINES.items():
        build(name, commands.add_parser(name, aliases=names_of[name], help=line))
    return parser
