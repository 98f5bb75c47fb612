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
    stack = load(ROOT / "services.yaml", {"GROQ_API_KEY": "gsk_0123456789", "MCP_TOKEN": "mcp-token-1"})
    have = {name for name, spec in stack.services.items() if "gsk_0123456789" in spec.environment.values()}
    assert have == {"groq-api"}
    assert {"gsk_0123456789", "mcp-token-1"} <= stack.secrets


def asked() -> set[str]:
    return set(re.findall(r"\$\{(\w+)", (ROOT / "services.yaml").read_text(encoding="utf-8"))) - {"NAME"}


def test_the_example_of_env_names_what_services_yaml_asks_for() -> None:
    lines = Path(ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert asked() == {match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))}


def test_the_reference_has_every_variable_with_its_default() -> None:
    page = (ROOT / "docs/reference/shipped-stack.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \|([^|]*)\|", page, re.MULTILINE)
    assert {name for name, _ in rows} == asked()
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", (ROOT / "services.yaml").read_text(encoding="utf-8")))
    defaults.pop("NAME")
    assert {name: default.strip("` ") for name, default in rows if name in defaults} == defaults


def test_whatever_a_service_reads_can_be_set_in_env() -> None:
    call = re.compile(r"\b(?:setting|number|choice|environ\.get)\(\s*\"([A-Z_]+)\"")
    files = [ROOT / "examples" / "service.py", *(ROOT / "examples").glob("*/*.py")]
    read = {name for path in files for name in call.findall(path.read_text(encoding="utf-8"))}
    # By portsup, or by OpenTelemetry itself: the services only look whether they are set.
    from_elsewhere = {name for name in read if re.match("HOST$|PORTSUP_(?!EXAMPLE)|LISTEN_|OTEL_S", name)}
    assert {"GROQ_API_KEY", "LOG_FORMAT"} <= read
    assert read - from_elsewhere <= asked()


def test_a_dependency_that_is_waited_for_becomes_ready_on_any_machine(stack: StackSpec) -> None:
    waited_for = {
        name for spec in stack.services.values() for name, condition in spec.depends_on.items() if condition == "ready"
    }
    assert waited_for == {"ollama-mcp", "sandra-ia"}
    for name in waited_for:
        assert stack.services[name].ready.probe.target == "/health/ready?settled"


def test_instances_do_not_meet(stack: StackSpec) -> None:
    bases = sorted(spec.pool[0] for spec in stack.services.values())
    assert all(second - first >= 10 for first, second in pairwise(bases))
    assert stack.stride == 100
