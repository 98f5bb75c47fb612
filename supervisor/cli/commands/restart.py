"""`portsup restart`: stop services and start them again on their ports, or the other way round without a gap."""

import argparse

from supervisor.cli.progress import add_services, add_timeout, follow
from supervisor.cli.target import connect

EXAMPLES = """\
  portsup restart web
  portsup restart -t 2 web worker
  portsup restart --rolling web      start the new process first"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `restart`."""
    add_services(parser)
    add_timeout(parser)
    parser.add_argument(
        "--rolling",
        action="store_true",
        help="start a new process first; stop the old one when it is ready",
    )


def run(args: argparse.Namespace) -> int:
    """Carry it out; 1 when it did not work for every service."""
    how = {"rolling": True} if args.rolling else {}  # left out otherwise: a daemon that runs may not know it
    answers = connect(args, changes=True).order("restart", services=args.services, timeout=args.timeout, **how)
    return follow(answers, args)
