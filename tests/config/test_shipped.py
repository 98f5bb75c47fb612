"""The services.yaml at the top of the project is a good one."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import yaml

from supervisor.config.load import load
from supervisor.config.schema import schema

ROOT = Path(__file__).parents[2]
FILE = ROOT / "services.yaml"


def test_the_shipped_stack_loads_without_a_warning() -> None:
    stack = load(FILE, {}, ephemeral=range(32768, 61000))
    assert stack.warnings == ()
    assert {name: service.pool[0] for name, service in stack.services.items()} == {
        "mcp-universal": 6000,
        "ollama-mcp": 6010,
        "groq-api": 6020,
        "sandra-ia": 6030,
        "conversational": 7000,
        "api-server": 9000,
    }
    assert stack.services["mcp-universal"].environment["MCP_TOKEN"] == ""


def test_the_shipped_stack_fits_the_schema() -> None:
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(FILE.read_text()))


def test_the_schema_that_it_names_is_the_one_that_the_command_prints() -> None:
    first = FILE.read_text().splitlines()[0]
    file = ROOT / first.partition("$schema=")[2]
    assert json.loads(file.read_text()) == schema()
