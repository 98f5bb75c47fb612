"""`portsup env`: the variables that lead to the running services, with secrets hidden."""

import argparse
import re
import shlex

from supervisor.cli.complaint import warn
from supervisor.cli.parser import add_format
from supervisor.cli.render import json_line
from supervisor.cli.target import connect
from supervisor.words import files as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = """\
  portsup env                        the ports and URLs of all services
  portsup env web --reveal           the whole environment of web, with secrets
  eval "$(portsup env --export)"     set the variables in this shell
  portsup env --format json          one JSON object per line"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `env`."""
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="print the whole environment of this service")
    parser.add_argument("--reveal", action="store_true", help="show secrets instead of ***")
    parser.add_argument("--export", action="store_true", help="print lines that a shell can evaluate")
    add_format(parser, "table", "json")


def run(args: argparse.Namespace) -> int:
    """Print the environment."""
    answer = connect(args).environment(args.service)
    environment = answer.environment
    hidden = {} if args.reveal else _hidden(environment, answer.secret)
    foreign = [name for name in sorted(environment) if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)]
    for name, value in sorted({**environment, **hidden}.items()):
        if args.format == "json":
            print(json_line({"name": name, "value": value, "secret": name in hidden}))
        elif not args.export:
            print(f"{name}={value if value.isprintable() else shlex.quote(value)}")
        elif name not in hidden and name not in foreign:
            print("export", f"{name}={shlex.quote(value)}")
    if args.export and hidden:
        warn(words.not_printed(sorted(hidden)), args.color)
    if args.export and foreign:  # such as BASH_FUNC_x%%, at which `eval` would end the shell
        warn(words.no_names_in_a_shell(foreign), args.color)
    return 0


def _hidden(environment: dict[str, str], secret: "Sequence[str]") -> dict[str, str]:
    from supervisor.config.secrets import hidden

    return hidden(environment, set(secret))
