"""Plain data as YAML text; with parse.py the one place that knows YAML."""

from typing import Any

import yaml


def as_yaml(data: Any) -> str:
    """`data` as YAML, in the order it has."""
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100))
