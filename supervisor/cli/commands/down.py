"""`portsup down`: stop everything and end the instance."""

import argparse
import time

from supervisor.cli.progress import add_timeout, follow
from supervisor.cli.target import instances, meant
from supervisor.control.client import Client, DaemonGone
from supervisor.errors import ExitCode
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.ports.instances import InstanceInfo

EXAMPLES = """\
  portsup down                 the instance of this directory
  portsup down -t 2            kill services that have not ended after 2 s
  portsup --instance 2 down"""

_ENDING = 10.0  # seconds that the daemon may take to go once its services are gone
_LOOK_EVERY = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `down`."""
    add_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Stop the instance; returns when it is gone and its number and ports are free again."""
    info = meant(args, changes=True)
    try:
        code = follow(Client(info.socket).order("down", timeout=args.timeout), args)
    except DaemonGone:
        # It may have ended between our finding it and its answer: gone is what was asked for.
        if not _is_gone(info, within=1.0):
            raise
        return int(ExitCode.OK)
    if code == ExitCode.OK and not _is_gone(info, within=_ENDING):
        raise answers.not_gone(info.stack, info.instance, info.whose, info.pid_here, _ENDING)
    return code


def _is_gone(info: "InstanceInfo", within: float) -> bool:
    deadline = time.monotonic() + within
    while any((one.stack, one.instance, one.pid) == (info.stack, info.instance, info.pid) for one in instances()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY)
    return True
