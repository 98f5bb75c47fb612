"""The shipped services.yaml, as portsup reads it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from tests.examples.running import PORT_ENV, ROOT

POOLS = {
    "mcp-universal": range(6000, 6003),
    "ollama-mcp": range(6010, 6013),
    "groq-api": range(6020, 6023),
    "sandra-ia": range(6030, 6034),
    "conversational": range(7000, 7005),
    "api-server": range(9000, 9003),
}


@pytest.fixture(scope="module")
def stack() -> StackSpec:
    return load(ROOT / "services.yaml", {})


def test_it_is_read_without_a_warning(stack: StackSpec) -> None:
    assert stack.name == "sandra"
    assert stack.warnings == ()
    assert {name: spec.pool for name, spec in stack.services.items()} == {
        name: tuple(pool) for name, pool in POOLS.items()
    }


def test_each_service_is_told_its_port_in_its_own_variable(stack: StackSpec) -> None:
    for name, spec in stack.services.items():
        module = name.replace("-", "_")
        assert spec.command == ("python", "-m", f"examples.{module}")
        assert spec.port_env == PORT_ENV[module]


def test_api_server_comes_up_whatever_is_down(stack: StackSpec) -> None:
    api = stack.services["api-server"]
    assert set(api.depends_on) == set(POOLS) - {"api-server"}
    assert set(api.depends_on.values()) == {"started"}
    assert list(stack.services)[-1] == "api-server"


def test_no_pool_is_written_down_anywhere_but_there(stack: StackSpec) -> None:
    ports = {str(port) for spec in stack.services.values() for port in spec.pool}
    for path in (ROOT / "examples").glob("*/*.py"):
        assert not ports & set(re.findall(r"\b\d{4}\b", path.read_text(encoding="utf-8"))), path


def test_a_secret_reaches_only_the_services_that_name_it() -> None:
    stack = load(ROOT / "services.yaml", {"GROQ_API_KEY": "gsk_1", "MCP_TOKEN": "mcp-token-1"})
    have = {name for name, spec in stack.services.items() if "gsk_1" in spec.environment.values()}
    assert have == {"groq-api"}
    assert {"gsk_1", "mcp-token-1"} <= stack.secrets


def test_the_example_of_env_names_what_services_yaml_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "services.yaml").read_text(encoding="utf-8"))) - {"NAME"}
    lines = Path(ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    offered = {match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))}
    assert asked - offered <= {"GROQ_BASE_URL"}
    assert offered <= asked


def test_instances_do_not_meet(stack: StackSpec) -> None:
    bases = sorted(spec.pool[0] for spec in stack.services.values())
    assert all(second - first >= 10 for first, second in pairwise(bases))
    assert stack.stride == 100
