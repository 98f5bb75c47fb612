"""`portsup stop`: stop services and leave the others running."""

import argparse

from supervisor.cli.progress import add_services, add_timeout, follow
from supervisor.cli.target import connect

EXAMPLES = """\
  portsup stop web             services that depend on it go on
  portsup stop -t 0 web        kill it at once"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `stop`."""
    add_services(parser)
    add_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out; 1 when it did not work for every service."""
    return follow(connect(args, changes=True).order("stop", services=args.services, timeout=args.timeout), args)
