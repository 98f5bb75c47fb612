"""`portsup rotate`: leave the port a service has for the next one of its pool."""

import argparse

from supervisor.cli.progress import follow
from supervisor.cli.target import connect

EXAMPLES = """\
  portsup rotate web           restart web on the next port of its pool"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `rotate`."""
    parser.add_argument("service", metavar="SERVICE", help="the service")


def run(args: argparse.Namespace) -> int:
    """Carry it out; 1 when it did not work."""
    return follow(connect(args, changes=True).order("rotate", service=args.service), args)
