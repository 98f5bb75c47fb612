"""`portsup schema`: what services.yaml may say, and what programs read, for editors and other checkers."""

import argparse

from supervisor.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\
  portsup schema > services.schema.json
  # then, as the first line of services.yaml:
  # yaml-language-server: $schema=services.schema.json
  portsup schema --partial > override.schema.json
  portsup schema --of events       one event of `portsup events --json`
  portsup schema --of control      a line of the control socket"""

_SUBJECTS = ("services", "events", "control")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options are which of the schemas."""
    parser.add_argument(
        "--partial", action="store_true", help="print the schema of a file that is merged over another one"
    )
    parser.add_argument(
        "--of", dest="subject", choices=_SUBJECTS, default="services",
        help="choose what it describes (default: services)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    import json

    print(json.dumps(_schema(args), indent=2))
    return 0


def _schema(args: argparse.Namespace) -> "dict[str, Any]":
    if args.subject == "services":
        from supervisor.config.schema import partial, schema

        return partial() if args.partial else schema()
    if args.partial:
        raise UsageError(f"cannot print a partial schema of `{args.subject}`", "only services.yaml has one")
    from supervisor.control.schema import control, events

    return events() if args.subject == "events" else control()
