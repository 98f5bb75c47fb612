"""`portsup scale`: run more or fewer processes of a service."""

import argparse

from supervisor.cli.progress import follow
from supervisor.cli.target import connect
from supervisor.core.replicas import MOST
from supervisor.errors import UsageError

EXAMPLES = """\
  portsup scale api=4              four processes of api, on its port
  portsup scale api=4 worker=2     two services at once

The number applies until the next `reload` or `up`. To keep it, write
`replicas: 4` into services.yaml."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The services, each with its number."""
    parser.add_argument(
        "replicas", nargs="+", metavar="SERVICE=N", type=_wanted, help="a service, and how many processes it runs"
    )


def _wanted(text: str) -> tuple[str, int]:
    name, equals, count = text.partition("=")
    if not (name and equals and count.isascii() and count.isdigit() and len(count) < 10 and 0 < int(count) <= MOST):
        raise argparse.ArgumentTypeError(f"`{text}` is not SERVICE=N, with a number from 1 to {MOST}")
    return name, int(count)


def run(args: argparse.Namespace) -> int:
    """Carry it out; 1 when it did not work for every service."""
    wanted = dict(args.replicas)
    if len(wanted) < len(args.replicas):
        twice = next(name for name in wanted if sum(name == each for each, _ in args.replicas) > 1)
        raise UsageError("cannot scale a service to two numbers", f"`{twice}` is there twice", "leave out one of them")
    return follow(connect(args, changes=True).order("scale", replicas=wanted), args)
