"""`portsup restart`: stop services and start them again on their ports."""

import argparse

from supervisor.cli.progress import add_services, add_timeout, follow
from supervisor.cli.target import connect

EXAMPLES = """\
  portsup restart web
  portsup restart -t 2 web worker"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `restart`."""
    add_services(parser)
    add_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out; 1 when it did not work for every service."""
    return follow(connect(args, changes=True).stream("restart", services=args.services, timeout=args.timeout), args)
