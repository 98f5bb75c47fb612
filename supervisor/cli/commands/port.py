"""`portsup port`: the number alone, for scripts."""

import argparse

from supervisor.cli.complaint import warn
from supervisor.cli.rows import one
from supervisor.cli.target import connect
from supervisor.errors import PortsupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\
  curl "http://127.0.0.1:$(portsup port web)/health"
  portsup --instance 2 port web"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `port`, and of `url`."""
    parser.add_argument("service", metavar="SERVICE", help="the service that is meant")


def run(args: argparse.Namespace) -> int:
    """Print the port that the service has now."""
    print(live(args, "port"))
    return 0


def live(args: argparse.Namespace, what: str) -> "Any":
    """`port` or `url` of the service as the daemon knows it now; raises `PortsupError` when it has none."""
    answer = connect(args).ask("status")
    row = one(answer["services"], args.service)
    if row[what] is None:
        why = f"it is {row['state']}" + (f": {row['reason']}" if row.get("reason") else "")
        raise PortsupError(
            f"cannot tell the {what} of `{args.service}`", why, f"`portsup start {args.service}` gives it a port"
        )
    if row["state"] != "running":
        warn(f"`{args.service}` is {row['state']}, not running", args.color)
    return row[what]
