"""`portsup metrics`: OpenMetrics that the parsers of Prometheus take."""

from typing import Any

import pytest

from supervisor.cli.commands.metrics import FAMILIES, PORT_STATES, exposition
from supervisor.control.json_form import read
from supervisor.control.messages import Resources, Usage
from supervisor.control.status import BudgetStatus, StackStatus
from supervisor.core.port_state import PortState
from tests.cli.conftest import Pretend, Run
from tests.support.fake_daemon import refusal, row, status

Told = tuple[str, int, StackStatus | None, dict[str, Resources | None]]
USED = {"cpu_s": 3.24, "memory": 25_500_000, "processes": 3, "listens": []}

LOOP = {"stalls": 3, "stall_from_s": 0.05, "longest_stall_s": 0.12, "longest_stall": "taking the ports of `web`"}


def text_of(*told: Any) -> str:
    return "\n".join(exposition(typed(*each) for each in told)) + "\n"


def typed(stack: str, instance: int, services: dict[str, Any] | None, loop: Any = None) -> Told:
    """What a daemon tells, in types."""
    if services is None:
        return stack, instance, None, {}
    told = {"stack": stack, "instance": instance, "services": list(services.values()), "loop": loop}
    used = {name: row.get("resources") for name, row in services.items()}
    return stack, instance, read(StackStatus, told), read(Usage, {"resources": used}).resources


def families_of(text: str, *, older: bool = False) -> Any:
    """As the parsers of Prometheus take them, which are imported by whoever needs them."""
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as strict

    return (parser if older else strict).text_string_to_metric_families(text)


def values(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """By sample name: labels without stack and instance, and value; the strict parser has to take it."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in families_of(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name not in ("stack", "instance")}
            found.setdefault(sample.name, []).append((labels, sample.value))
    return found


def test_a_service_is_told_in_full() -> None:
    web = row("web", restarts=2, rotations=1, resources=USED)
    found = values(text_of(("shop", 1, {"web": web})))
    name = {"service": "web"}
    assert found == {
        "portsup_instance_up": [({}, 1.0)],
        "portsup_service_up": [(name, 1.0)],
        "portsup_service_ready": [(name, 1.0)],
        "portsup_service_fine": [(name, 1.0)],
        "portsup_service_healthy": [(name, 1.0)],
        "portsup_service_state": [({**name, "state": "running"}, 1.0)],
        "portsup_service_port": [(name, 6000.0)],
        "portsup_service_pool_ports": [
            ({**name, "state": state}, value)
            for state, value in (("active", 1.0), ("spare", 1.0), ("taken", 1.0), ("quarantined", 0.0))
        ],
        "portsup_service_uptime_seconds": [(name, 125.4)],
        "portsup_service_restarts_total": [(name, 2.0)],
        "portsup_service_rotations_total": [(name, 1.0)],
        "portsup_service_cpu_seconds_total": [(name, 3.24)],
        "portsup_service_memory_bytes": [(name, 25_500_000.0)],
        "portsup_service_processes": [(name, 3.0)],
    }
    assert set(PORT_STATES) == set(PortState)


def test_no_digit_of_a_large_number_is_lost() -> None:
    used = {"cpu_s": 12_345_678_901.25, "memory": 123_456_789_012_345, "processes": 3, "listens": []}
    loop = {**LOOP, "stalls": 12_345_678_901}
    text = text_of(("shop", 1, {"web": row("web", restarts=98_765_432_109, resources=used)}, loop))
    assert " 123456789012345\n" in text
    found = values(text)
    assert found["portsup_service_memory_bytes"][0][1] == 123_456_789_012_345
    assert found["portsup_service_cpu_seconds_total"][0][1] == 12_345_678_901.25
    assert found["portsup_service_restarts_total"][0][1] == 98_765_432_109
    assert found["portsup_loop_stalls_total"][0][1] == 12_345_678_901


def test_what_does_not_apply_is_not_there() -> None:
    down = row("job", state="exited", is_done=True, health="none", port=None, pid=None, uptime_s=None, pool=[])
    found = values(text_of(("shop", 1, {"job": down | {"resources": None}})))
    assert set(found) == {
        "portsup_instance_up",
        "portsup_service_up",
        "portsup_service_ready",
        "portsup_service_fine",
        "portsup_service_state",
        "portsup_service_restarts_total",
    }
    assert (found["portsup_service_up"][0][1], found["portsup_service_fine"][0][1]) == (0.0, 1.0)


def test_changes_of_watched_files_are_counted() -> None:
    found = values(text_of(("shop", 1, {"web": row("web", file_changes=3), "db": row("db")})))
    assert [value for _, value in found["portsup_service_file_changes_total"]] == [3.0]


def test_sessions_and_programs_of_a_bridge_are_told() -> None:
    rows = {"tools": row("tools", stdio={"sessions": 3, "programs": 2}), "db": row("db")}
    found = values(text_of(("shop", 1, rows)))
    assert found["portsup_service_stdio_sessions"] == [({"service": "tools"}, 3.0)]
    assert found["portsup_service_stdio_programs"] == [({"service": "tools"}, 2.0)]


def test_families_are_whole_and_every_instance_and_its_services_are_told_apart() -> None:
    services = {name: row(name, resources=USED) for name in ("web", "db")}
    text = text_of(("shop", 1, services, LOOP), ("shop", 2, services, LOOP), ("other", 1, None))
    told = {
        (sample.labels["stack"], sample.labels["instance"], sample.labels.get("service")): sample.value
        for family in families_of(text)
        if family.name in ("portsup_instance_up", "portsup_service_up")
        for sample in family.samples
    }
    assert told[("other", "1", None)] == 0.0
    assert sum(told.values()) == 6.0
    families = list(families_of(text))
    assert [family.name for family in families] == [
        name
        for name in FAMILIES
        if name
        not in (
            "portsup_service_rotations",
            "portsup_service_next_run_timestamp_seconds",
            "portsup_service_file_changes",
        )
        and "replicas" not in name
        and "stdio" not in name
        and not name.startswith("portsup_budget_")
    ]


@pytest.mark.parametrize("name", ['quo"te', "back\\slash", "line\nbreak", "ünï", "{}=,"])
def test_any_name_is_carried(name: str) -> None:
    [family] = families_of(text_of((name, 1, {})))
    assert family.samples[0].labels["stack"] == name


def test_readers_of_the_older_format_take_it_too() -> None:
    text = text_of(("shop", 1, {"web": row("web", restarts=2, resources=USED)}))
    samples = {sample.name: sample.value for family in families_of(text, older=True) for sample in family.samples}
    assert (samples["portsup_service_restarts_total"], samples["portsup_service_port"]) == (2.0, 6000.0)
    assert {kind for kind, _ in FAMILIES.values()} == {"gauge", "counter"}, "it knows no other of OpenMetrics' types"


def test_nothing_is_an_answer_too() -> None:
    assert text_of() == "# EOF\n"


@pytest.mark.live
def test_a_daemon_from_before_tells_what_it_can(pretend: Pretend, run: Run) -> None:
    old = refusal("cannot read the request", "there is no request 'resources'", exit_code=2)
    pretend({"status": [status(row("web"))], "resources": [old]})
    ran = run("metrics")
    assert (ran.code, ran.err) == (0, "")
    assert "portsup_service_memory_bytes" not in values(ran.out)
    assert values(ran.out)["portsup_service_up"] == [({"service": "web"}, 1.0)]


@pytest.mark.live
def test_one_that_does_not_answer_is_down_and_said(pretend: Pretend, run: Run) -> None:
    pretend({"status": [b"nonsense\n"]})
    ran = run("metrics", "--all")
    assert ran.code == 0
    assert values(ran.out) == {"portsup_instance_up": [({}, 0.0)]}
    assert "warning: `shop` instance 1: cannot understand the answer" in ran.err


@pytest.mark.live
def test_none_running_is_an_error_only_for_who_wants_one(run: Run) -> None:
    assert run("metrics").code == 4
    assert run("metrics", "--all") == (0, "# EOF\n", "")


def test_the_stalls_of_an_instance_are_told() -> None:
    found = values(text_of(("shop", 1, {}, LOOP)))
    assert found == {
        "portsup_instance_up": [({}, 1.0)],
        "portsup_loop_longest_stall_seconds": [({}, 0.12)],
        "portsup_loop_stalls_total": [({}, 3.0)],
    }


def test_the_budget_and_who_waits_for_it_are_told() -> None:
    budget = BudgetStatus(6 * 1024**3, 4 * 1024**3, waiting=("a", "b"))
    told = StackStatus("shop", 1, (), budget=budget)
    assert values("".join(f"{line}\n" for line in exposition([("shop", 1, told, {})]))) == {
        "portsup_instance_up": [({}, 1.0)],
        "portsup_budget_bytes": [({"resource": "memory"}, 6.0 * 1024**3)],
        "portsup_budget_held_bytes": [({"resource": "memory"}, 4.0 * 1024**3)],
        "portsup_budget_waiting": [({}, 2.0)],
    }
