"""`portsup url`: where a service answers, for scripts."""

import argparse

from supervisor.cli.commands import port
from supervisor.words import naming

EXAMPLES = """\
  curl "$(portsup url web)/health"
  portsup url web --name           http://web.shop.localhost:1355, with `names`"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `url`."""
    port.add_arguments(parser)
    parser.add_argument("--name", action="store_true", help="print the URL with the name of the service, see `names`")


def run(args: argparse.Namespace) -> int:
    """Print the URL that the service has now."""
    row = port.live(args)
    if args.name and row.name_url is None:
        raise naming.no_name(row.name)
    print(row.name_url if args.name else row.url)
    return 0
