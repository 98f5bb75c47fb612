"""`portsup port`: the number alone, for scripts."""

import argparse

from supervisor.cli.complaint import warn
from supervisor.cli.rows import one
from supervisor.cli.target import connect
from supervisor.control.status import ServiceStatus
from supervisor.words import answers

EXAMPLES = """\
  curl "http://127.0.0.1:$(portsup port web)/health"
  portsup --instance 2 port web"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `port`, and of `url`."""
    parser.add_argument("service", metavar="SERVICE", help="the service")


def run(args: argparse.Namespace) -> int:
    """Print the port that the service has now."""
    print(live(args).port)
    return 0


def live(args: argparse.Namespace) -> ServiceStatus:
    """The service as the daemon knows it now; raises `PortsupError` when it has no port."""
    row = one(connect(args).status().services, args.service)
    if row.port is None:
        raise answers.no_address(args.command, args.service, row.state, row.reason)
    if not row.serves:
        warn(answers.not_up(args.service, row.state), args.color)
    return row
