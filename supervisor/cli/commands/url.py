"""`portsup url`: where a service answers, for scripts."""

import argparse

from supervisor.cli.commands.port import add_arguments as add_arguments
from supervisor.cli.commands.port import live

EXAMPLES = """\
  curl "$(portsup url web)/health" """


def run(args: argparse.Namespace) -> int:
    """Print the URL that the service has now."""
    print(live(args).url)
    return 0
