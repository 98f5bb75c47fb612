"""What has changed between two files."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.config.changes import Change
from supervisor.config.difference import difference, live_keys
from supervisor.config.spec import HealthCheck, LogLimits, Probe, ProbeKind, Ready, ServiceSpec, StackSpec
from supervisor.dataclass import replace


def service(name: str = "api", **values: Any) -> ServiceSpec:
    return ServiceSpec(**({"name": name, "command": ("a",), "pool": (8100,)} | values))


def stack(*services: ServiceSpec, **values: Any) -> StackSpec:
    return StackSpec("t", Path("/t/services.yaml"), {each.name: each for each in services}, **values)


def changed(**values: Any) -> Change:
    (change,) = difference(stack(service()), stack(service(**values))).changed
    return change


def test_the_same_is_no_difference() -> None:
    assert not difference(stack(service()), stack(service(line=7)))


def test_added_and_removed_services_are_named() -> None:
    found = difference(stack(service("a"), service("b")), stack(service("b"), service("c")))
    assert (found.added, found.removed, found.changed) == (("c",), ("a",), ())


@pytest.mark.parametrize(
    ("values", "restarts"),
    [
        ({"command": ("b",)}, True),
        ({"environment": {"A": "1"}}, True),
        ({"port_env": "X"}, True),
        ({"working_dir": Path("/x")}, True),
        ({"pool": (8100, 8101)}, False),
        ({"healthcheck": HealthCheck(Probe(ProbeKind.TCP))}, False),
        ({"logging": LogLimits(1, 1)}, False),
        ({"logging": LogLimits(redact=False)}, False),
        ({"stop_grace_period": 1.0}, False),
        ({"ready": Ready(timeout=1.0)}, False),
    ],
)
def test_only_what_a_process_begins_with_restarts_it(values: dict[str, Any], restarts: bool) -> None:
    change = changed(**values)
    assert change.keys == tuple(values)
    assert change.restarts is restarts


def test_what_a_process_does_not_begin_with_is_live() -> None:
    assert live_keys() == {
        "autostart", "depends_on", "description", "fetch_url", "healthcheck", "hooks", "idle_check", "idle_min_up",
        "gpu_memory_cost", "idle_stop", "idle_when", "logging", "memory_cost", "memory_limit", "min_ready",
        "on_end", "on_port_change", "pid_file", "profiles", "quarantine", "ready", "restart", "restart_policy",
        "replicas", "rotate_after", "schedule", "start", "start_timeout", "stop_command", "stop_grace_period",
        "stop_signal", "success_exit_codes", "watch",
    }  # fmt: skip


def test_another_stride_may_move_every_pool() -> None:
    old = stack(service("a"), service("b", pool=()))
    found = difference(old, replace(old, stride=10))
    assert found.top == ("instances.stride",)
    assert found.changed == (Change("a", ("pool",)),)
