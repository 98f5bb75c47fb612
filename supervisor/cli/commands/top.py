"""`portsup top`: the stack in this terminal, live."""

import argparse
import sys

from supervisor.cli import render
from supervisor.cli.config_files import current_directory, files_asked
from supervisor.errors import Missing, UsageError

EXAMPLES = """\
  portsup top                 all services of this directory's stack
  portsup top api db          only these
  portsup top --ascii         for a terminal without Unicode

Press ? to see the keys. q leaves the view, and never stops the stack."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `top`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="show only these")
    parser.add_argument("--ascii", action="store_true", help="use ASCII characters only")


def run(args: argparse.Namespace) -> int:
    """Shows it until somebody leaves; 0."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or render.is_dumb():
        raise UsageError(
            "cannot show the terminal view",
            "`TERM` is `dumb`: this terminal only prints lines" if render.is_dumb() else "this is no terminal",
            "`portsup status --watch` and `portsup logs -f` print what is new",
        )
    try:
        import textual  # noqa: F401
    except ImportError as error:
        raise Missing("top", error, "cannot show the terminal view") from None
    from supervisor.api.project import Project
    from supervisor.tui.app import Top

    project = Project(current_directory(), files_asked(args), args.instance)
    if args.services:
        from supervisor.cli.commands import did_you_mean
        from supervisor.words import answers

        known = project.services()
        for name in args.services:
            if name not in known:
                raise answers.unknown(name, did_you_mean(name, known) or answers.named(known), answers.SHOW)
    Top(project, plain=args.ascii, services=args.services).run()
    return 0
