"""A stack shown as plain data is the same stack again."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given

from supervisor.config.dump import as_document, as_yaml
from supervisor.config.show import resolved
from supervisor.dataclass import replace
from tests.support.budget import tries

from .conftest import Loading
from .test_schema import GOOD


@tries(5, 1000)
@given(GOOD)
def test_what_is_shown_loads_as_the_same_stack(loading: Loading, data: dict[str, Any]) -> None:
    stack = loading(yaml.safe_dump(data, sort_keys=False))
    shown = resolved(stack, reveal=True)
    assert json.loads(json.dumps(shown)) == shown
    again = loading(yaml.safe_dump(shown, sort_keys=False))
    services = {name: replace(service, line=0) for name, service in stack.services.items()}
    assert {name: replace(service, line=0) for name, service in again.services.items()} == services
    assert (again.name, again.stride, again.strict_ports) == (stack.name, stack.stride, stack.strict_ports)


def test_dollar_signs_come_back_as_they_were(loading: Loading) -> None:
    stack = loading("services: {a: {command: [a, '$$', '$${A}', '$$$$', $$x, 'a$', '$$$']}}")
    assert stack.services["a"].command == ("a", "$", "${A}", "$$", "$x", "a$", "$$")
    assert loading(yaml.safe_dump(resolved(stack))).services["a"].command == stack.services["a"].command


@pytest.mark.parametrize("text", ["\x85", "a\u2028b", "a\u2029", "\ufeff", "a\x85: b", "- \u2028"])
def test_what_yaml_takes_for_the_end_of_a_line_comes_back_as_it_was(loading: Loading, text: str) -> None:
    shown = {"services": {"a": {"command": ["x", text], "environment": {"A": text}}}}
    for written in (as_yaml(shown), as_document(shown)):
        service = loading(written).services["a"]
        assert (service.command, service.environment) == (("x", text), {"A": text})


def test_a_program_that_is_served_is_shown_without_stdin(loading: Loading) -> None:
    stack = loading("services: {a: {command: [x], pool: 8000-8002, stdio: mcp}}")
    again = loading(as_yaml(resolved(stack)))
    assert replace(again.services["a"], line=0) == replace(stack.services["a"], line=0)


def test_every_default_is_filled_in(loading: Loading) -> None:
    shown = resolved(loading("name: s\nservices: {a: {command: a, pool: 6000-6002}}"))
    service = shown["services"].pop("a")
    assert shown == {
        "name": "s",
        "instances": {"stride": 100},
        "ports": {"strict": False},
        "engine": {"ray": {"lease": 15.0, "grace": 5.0}},
        "render": [],
        "services": {},
    }
    del service["working_dir"]
    assert service == {
        "command": ["a"],
        "pool": [6000, 6001, 6002],
        "port_env": "PORT",
        "environment": {},
        "depends_on": {},
        "profiles": [],
        "autostart": True,
        "start": "with-stack",
        "start_timeout": 30.0,
        "idle_min_up": 30.0,
        "replicas": 1,
        "one_shot": False,
        "ready": {"listening": True, "timeout": 30.0},
        "restart": "on-failure",
        "success_exit_codes": [0],
        "on_end": {"success": "ignore", "failure": "ignore"},
        "restart_policy": {"delay": 0.5, "factor": 2.0, "max_delay": 30.0, "max_restarts": 10, "period": 60.0},
        "stdin": "null",
        "stop_signal": "SIGTERM",
        "stop_grace_period": 10.0,
        "handoff": "auto",
        "bind": "report",
        "notify_socket": "auto",
        "rotate_after": 3,
        "quarantine": 60.0,
        "on_port_change": "restart",
        "limits": {},
        "expose": False,
        "logging": {"max_size": 10485760, "backups": 5, "redact": True},
    }


def test_a_job_without_ports_is_shown_without(loading: Loading) -> None:
    shown = resolved(loading("services: {a: {command: a}}"))["services"]["a"]
    assert "pool" not in shown
    assert shown["ready"] == {"started": True, "timeout": 30.0}
