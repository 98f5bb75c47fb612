"""`portsup start`: start services that are stopped, failed or done."""

import argparse

from supervisor.cli.progress import add_services, follow
from supervisor.cli.target import connect

EXAMPLES = """\
  portsup start web worker"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `start`."""
    add_services(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out; 1 when it did not work for every service."""
    return follow(connect(args, changes=True).order("start", services=args.services), args)
