"""`portsup kill`: a signal to services; what happens next is up to their restart policy."""

import argparse

from supervisor.cli.progress import add_services, follow
from supervisor.cli.target import connect
from supervisor.core import signals

EXAMPLES = """\
  portsup kill web             SIGKILL; web restarts by its restart policy
  portsup kill -s HUP web      also: SIGHUP, 1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `kill`."""
    parser.add_argument(
        "-s", "--signal", metavar="SIG", type=signal_number, default="SIGKILL",
        help="send this signal (default: SIGKILL)",
    )  # fmt: skip
    add_services(parser)


def run(args: argparse.Namespace) -> int:
    """Send it; 1 when it did not work for every service."""
    client = connect(args, changes=True)
    return follow(client.order("kill", services=args.services, signal=args.signal), args)


def signal_number(text: str) -> int:
    """The number of a signal given as `HUP`, `SIGHUP`, `hup`, `SIGRTMIN+3` or `1`."""
    number = signals.number_of(text)
    if number is not None:
        return number
    from supervisor.cli.commands import did_you_mean

    near = did_you_mean("SIG" + text.upper().removeprefix("SIG"), signals.names())
    raise argparse.ArgumentTypeError(f"`{text}` is not a signal here{': ' if near else ''}{near}")
