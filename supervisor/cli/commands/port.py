"""`portsup port`: the number alone, for scripts."""

import argparse

from supervisor.cli.complaint import warn
from supervisor.cli.rows import one
from supervisor.cli.target import connect
from supervisor.control.status import ServiceStatus
from supervisor.errors import PortsupError

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
        what = f"cannot tell the {args.command} of `{args.service}`"
        why = f"it is {row.state}" + (f": {row.reason}" if row.reason else "")
        raise PortsupError(what, why, f"`portsup start {args.service}` gives it a port")
    if row.state not in ("idle", "running"):
        warn(f"`{args.service}` is {row.state}, not running", args.color)
    return row
