"""Which instances can exist beside one another."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.instance import LAST_PORT, max_instances, overlap, ports_of
from supervisor.words.overlaps import overlap as words_of

SHIPPED = {
    "mcp-universal": (6000, 6001, 6002),
    "ollama-mcp": (6010, 6011, 6012),
    "groq-api": (6020, 6021, 6022),
    "sandra-ia": (6030, 6031, 6032, 6033),
    "conversational": (7000, 7001, 7002, 7003),
    "api-server": (9000, 9001, 9002, 9003, 9004),
}


def test_instance_two_has_its_ports_one_stride_higher() -> None:
    assert ports_of((6000, 6001), 1, 100) == (6000, 6001)
    assert ports_of((6000, 6001), 2, 100) == (6100, 6101)


def test_ten_instances_of_the_shipped_stack_fit() -> None:
    assert max_instances(SHIPPED, 100) == 10
    assert overlap(SHIPPED, 100, 10) is None


def test_the_eleventh_would_take_ports_of_the_first() -> None:
    assert words_of(overlap(SHIPPED, 100, 11)) == (
        "pool 7000-7002 of `mcp-universal` in instance 11 takes ports of `conversational` (7000-7003) in instance 1: "
        "ten instances fit"
    )


def test_higher_numbers_have_the_same_reason() -> None:
    assert overlap(SHIPPED, 100, 12) == overlap(SHIPPED, 100, 11)


def test_ports_end_at_65535() -> None:
    assert max_instances({"web": (65400,)}, 100) == 2
    assert words_of(overlap({"web": (65400, 65401)}, 100, 3)) == (
        "pool 65600-65601 of `web` in instance 3 goes beyond port 65535: two instances fit"
    )


def test_a_pool_wider_than_the_stride_overlaps_itself() -> None:
    assert words_of(overlap({"web": (8000, 8001, 8002)}, 2, 2)) == (
        "pool 8002-8004 of `web` in instance 2 takes ports of the same service (8000-8002) in instance 1: "
        "one instance fits"
    )


def test_two_services_on_one_port_leave_no_instance_at_all() -> None:
    assert words_of(overlap({"web": (8000,), "api": (8000,)}, 100, 1)) == "`web` and `api` share port 8000"


def test_a_stack_without_ports_is_never_refused() -> None:
    assert overlap({"job": ()}, 100, 500) is None


pool = st.lists(st.integers(1, LAST_PORT), min_size=1, max_size=4, unique=True)
pools = st.dictionaries(st.sampled_from(["a", "b", "c"]), pool, min_size=1)


@given(pools, st.integers(1, 300))
def test_as_many_instances_fit_as_counting_every_port_says(services: dict[str, list[int]], stride: int) -> None:
    fits, used = 0, set[int]()
    while fits < 400:
        ports = [port for pool in services.values() for port in ports_of(pool, fits + 1, stride)]
        if len(set(ports)) < len(ports) or max(ports) > LAST_PORT or used & set(ports):
            break
        used |= set(ports)
        fits += 1
    if fits < 400:
        assert max_instances(services, stride) == fits
        assert overlap(services, stride, fits + 1)
    else:
        assert max_instances(services, stride) >= fits
