"""What may stand against a pool."""

import pytest

from supervisor.doctor.finding import Finding, Level
from supervisor.doctor.pools import Machine, check_neighbours, check_pools, check_strangers

LINUX = Machine(range(32768, 61000), 1024)


def found(pools: dict[str, tuple[int, ...]], machine: Machine = LINUX, stride: int = 100) -> dict[str, Finding]:
    return {each.check: each for each in check_pools(pools, stride, machine)}


def test_a_good_pool_has_only_its_instances_to_tell() -> None:
    findings = found({"api": (8100, 8101)})
    assert set(findings) == {"instances"}
    assert findings["instances"].level is Level.OK


@pytest.mark.parametrize(
    ("pool", "check", "level", "words"),
    [
        ((80, 8100), "privileged", Level.ERROR, "`api`: only root may bind port 80"),
        ((32768, 40000), "ephemeral", Level.WARNING, "can take ports 32768, 40000"),
        ((6000, 6001), "browser", Level.NOTE, "such as fetch() in Node.js, refuse port 6000"),
    ],
)
def test_a_port_of_the_system_is_found(pool: tuple[int, ...], check: str, level: Level, words: str) -> None:
    finding = found({"api": pool})[check]
    assert finding.level is level
    assert words in finding.what
    assert finding.remedy


def test_the_address_for_clients_that_refuse_a_port_is_named() -> None:
    url = "http://127.0.0.1:9000/tools"
    findings = {each.check: each for each in check_pools({"tools": (6000,)}, 100, LINUX, 1, {"tools": url})}
    assert findings["browser"].remedy == f"for them it is at {url}"


def test_a_number_beyond_the_last_instance_is_an_error() -> None:
    findings = list(check_pools({"api": (8100, 8101)}, 100, LINUX, 999))
    (wrong,) = [each.what for each in findings if each.level is Level.ERROR]
    assert wrong.startswith("there cannot be an instance 999: pool ")


def test_root_may_have_a_privileged_port() -> None:
    assert (
        found({"api": (80, 8100)}, Machine(first_unprivileged=1024, may_bind_all=True))["privileged"].level
        is Level.NOTE
    )


def test_a_port_that_the_system_uses_itself_is_named() -> None:
    finding = found({"api": (7000, 7001)}, Machine(reserved={7000: "AirPlay"}))["reserved"]
    assert finding.what == "`api`: port 7000 is used by AirPlay"


def test_pools_that_leave_room_for_one_instance_are_told() -> None:
    finding = found({"api": (8100,), "web": (8200,)})["instances"]
    assert (finding.level, finding.what.startswith("1 instance can run")) == (Level.NOTE, True)


def test_ports_of_other_stacks_are_overlaps_and_our_own_are_not() -> None:
    leased = {8200: ("other", 1, "db"), 8201: ("mine", 2, "api"), 8100: ("other", 1, "db")}
    overlaps = list(check_neighbours("mine", {"api": (8100, 8101)}, 100, 2, leased))
    assert [each.what for each in overlaps] == ["`api`: port 8200 is leased to `db` of stack `other` instance 1"]


def test_a_stranger_is_a_warning_and_strangers_on_all_ports_an_error() -> None:
    one = {8101: "held by `node` (pid 7, user ada)"}
    assert [each.level for each in check_strangers("api", one, (8100, 8101))] == [Level.WARNING]
    assert [each.level for each in check_strangers("api", one | {8100: "x"}, (8100, 8101))] == [Level.ERROR] * 2
