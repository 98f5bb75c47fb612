"""`portsup schema`: what services.yaml may say, for editors and other checkers."""

import argparse

EXAMPLES = """\
  portsup schema > services.schema.json
  # then, as the first line of services.yaml:
  # yaml-language-server: $schema=services.schema.json
  portsup schema --partial > override.schema.json   for services.override.yaml and its kind"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The only option is which of the two schemas."""
    words = "that of a file laid over another one: nothing is required in it"
    parser.add_argument("--partial", action="store_true", help=words)


def run(args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    import json

    from supervisor.config.schema import partial, schema

    print(json.dumps(partial() if args.partial else schema(), indent=2))
    return 0
