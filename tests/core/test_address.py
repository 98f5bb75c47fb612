"""At which address a server is reached, from where it listens."""

import socket

import pytest

from supervisor.core.address import host_of, url_of
from supervisor.core.handoff import Place

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)


@pytest.mark.parametrize(
    ("places", "host"),
    [
        ([], ""),
        ([Place(V4, "127.0.0.1")], "127.0.0.1"),
        ([Place(V4, "0.0.0.0")], "127.0.0.1"),
        ([Place(V4, "127.0.0.2")], "127.0.0.2"),
        ([Place(V6, "::1")], "::1"),
        ([Place(V6, "::")], "127.0.0.1"),
        ([Place(V6, "::", v6_only=True)], "::1"),
        ([Place(V6, "::ffff:127.0.0.1")], "127.0.0.1"),
        ([Place(V6, "::ffff:127.0.0.3")], "127.0.0.3"),
        ([Place(V6, "::ffff:0.0.0.0")], "127.0.0.1"),
        ([Place(V6, "::1"), Place(V4, "127.0.0.1")], "127.0.0.1"),
        ([Place(V6, "::1"), Place(V4, "127.0.0.9")], "127.0.0.9"),
        ([Place(V6, "::", v6_only=True), Place(V4, "192.0.2.7")], "::1"),
        ([Place(V6, "fd00::7"), Place(V4, "192.0.2.7")], "192.0.2.7"),
        ([Place(V6, "fe80::7", scope=3)], "fe80::7%3"),
    ],
)
def test_the_loopback_of_ipv4_comes_first_where_it_leads_to_the_server(places: list[Place], host: str) -> None:
    assert host_of(places) == host
    assert host_of(places[::-1]) == host


def test_addresses_of_ipv6_stand_in_brackets() -> None:
    assert url_of("127.0.0.2", 6000) == "http://127.0.0.2:6000"
    assert url_of("::1", 6000) == "http://[::1]:6000"
    assert url_of("fe80::7%3", 6000) == "http://[fe80::7%253]:6000"
