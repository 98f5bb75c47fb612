"""Names of hosts for services."""

import pytest

from supervisor.core.hostnames import host_of, name_url, pause_before_stop


@pytest.mark.parametrize(
    ("service", "stack", "instance", "host"),
    [
        ("web", "shop", 1, "web.shop.localhost"),
        ("web", "shop", 2, "web.2.shop.localhost"),
        ("my_api", "shop.eu", 1, "my-api.shop-eu.localhost"),
        ("2", "shop", 1, "2.shop.localhost"),
        ("a_", "b-", 1, "a.b.localhost"),
    ],
)
def test_a_service_has_the_name_of_its_stack(service: str, stack: str, instance: int, host: str) -> None:
    assert host_of(service, stack, instance) == host


def test_the_url_has_the_scheme_of_the_proxy() -> None:
    assert name_url("web.shop.localhost", 1355, https=False) == "http://web.shop.localhost:1355"
    assert name_url("web.shop.localhost", 1355, https=True) == "https://web.shop.localhost:1355"


def test_a_process_is_asked_to_end_after_those_who_were_on_their_way_unless_that_is_urgent() -> None:
    assert pause_before_stop(110.0, 100.0) == 0.1
    assert pause_before_stop(100.2, 100.0) == 0.0
    assert pause_before_stop(None, 100.0) == 0.0
