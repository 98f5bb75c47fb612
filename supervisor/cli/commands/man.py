"""`portsup man`: the manual page, made of the same texts as `--help`."""

import argparse
import re
from collections.abc import Iterator

EXAMPLES = """\
  portsup man | man -l -
  portsup man > ~/.local/share/man/man1/portsup.1"""

_EXIT_CODES = "exit codes: "  # where they begin in the overview


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing but what every command takes."""


def run(args: argparse.Namespace) -> int:
    """Print the page."""
    from supervisor.cli.version import version

    print("\n".join(page(version())))
    return 0


def page(version: str) -> Iterator[str]:
    """The lines of the page in the language of man(7)."""
    from supervisor.cli import parser
    from supervisor.cli.commands import GROUPS

    what = parser.overview().splitlines()[2]
    yield f'.TH PORTSUP 1 "" "portsup {_escaped(version)}" "User Commands"'
    yield from (".SH NAME", r"portsup \- process supervisor whose services own their ports")
    yield from (".SH SYNOPSIS", ".B portsup", _escaped("[-f FILE] [--instance N] [--color WHEN] COMMAND ..."))
    yield from (".SH DESCRIPTION", _escaped(what))
    everywhere: list[argparse.Action] = []
    for title, commands in GROUPS.items():
        yield f".SH {_quoted(title.upper())}"
        for name in commands:
            command = parser.build(name)
            everywhere = everywhere or _options_of(command, is_shared=True)
            yield from _command(command)
    yield ".SH OPTIONS OF EVERY COMMAND"
    for action in everywhere:
        yield from _option(parser.build("up"), action)
    yield from (".SH EXIT STATUS", _escaped(" ".join(parser.overview().partition(_EXIT_CODES)[2].split())))


def _command(command: argparse.ArgumentParser) -> Iterator[str]:
    usage = " ".join(command.format_usage().split()).removeprefix("usage: ")
    # What every command takes is told once.
    shown = re.sub(r" \[(-h|(-f FILE|--file FILE)|--instance N|--color \{[^}]*\})\]", "", usage)
    yield f".SS {_quoted(shown)}"
    yield _escaped(command.description or "")
    for action in _options_of(command):
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from _command(child)
        else:
            yield from _option(command, action)
    if command.epilog:
        yield from (".PP", ".nf", *map(_escaped, command.epilog.splitlines()), ".fi")


def _options_of(command: argparse.ArgumentParser, is_shared: bool = False) -> list[argparse.Action]:
    """Its own arguments, or those that it shares with every command."""
    shared = [action for group in command._action_groups[2:] for action in group._group_actions]
    help_ = [action for action in command._actions if isinstance(action, argparse._HelpAction)]
    own = [action for action in command._actions if action not in shared and action not in help_]
    return [*help_, *shared] if is_shared else own


def _option(command: argparse.ArgumentParser, action: argparse.Action) -> Iterator[str]:
    value = action.metavar if isinstance(action.metavar, str) else ""
    if action.choices is not None and not value:
        value = "|".join(map(str, action.choices))
    names = ", ".join(action.option_strings)
    takes = value if action.nargs != 0 else ""
    yield from (".TP", f".B {_escaped(' '.join(filter(None, (names, takes))))}")
    yield _escaped(command._get_formatter()._expand_help(action) if action.help else "")


def _quoted(text: str) -> str:
    """One argument of a macro; two quotes stand for one."""
    return '"' + _escaped(text).replace('"', '""') + '"'


def _escaped(text: str) -> str:
    r"""`text` as it is to be read: no line of it is a request, and `-` can be copied, groff_char(7)."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text
