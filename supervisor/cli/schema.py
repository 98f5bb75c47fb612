"""`portsup schema`: what services.yaml may say, for editors and other checkers."""

import argparse

EXAMPLES = """\
  portsup schema > services.schema.json
  # then, as the first line of services.yaml:
  # yaml-language-server: $schema=services.schema.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`schema` has no options of its own."""


def run(args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    import json

    from supervisor.config.schema import schema

    print(json.dumps(schema(), indent=2))
    return 0
