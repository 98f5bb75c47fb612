"""Servers that listen at other addresses than 127.0.0.1 are asked, named and found there."""

import json
import urllib.request
from typing import Any

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

PLACES = {
    "127.0.0.1": "127.0.0.1",
    "0.0.0.0": "127.0.0.1",
    "127.0.0.2": "127.0.0.2",
    "::1": "[::1]",
    "::": "127.0.0.1",
    ":: v6only": "[::1]",
    "::ffff:127.0.0.1": "127.0.0.1",
}


@in_both_ways
@pytest.mark.parametrize("place", PLACES)
def test_probes_and_urls_follow_the_address_that_was_bound(stack: Make, place: str) -> None:
    (port,) = free_pool(1)
    command = program("serves_at", *place.split())
    asks: dict[str, Any] = {"http": "/", "timeout": "10s"}
    live = stack({
        "web": {"command": command, "pool": [port], "ready": asks, "healthcheck": {"tcp": True, "interval": "0.2s"}},
        "user": {
            "command": ["sh", "-c", "echo $PORTSUP_WEB_URL $ASKS; exec sleep 1000"], "depends_on": ["web"],
            "environment": {"ASKS": "{url:web}/x"},
        },
    })  # fmt: skip
    url = f"http://{PLACES[place]}:{port}"
    with live.up():
        live.until("web", health="healthy")
        assert live.run("url", "web").stdout == f"{url}\n"
        assert live.run("port", "web").stdout == f"{port}\n"
        assert live.rows()["web"]["url"] == url
        assert eventually(lambda: live.log("user")) == f"{url} {url}/x\n"
        told = live.endpoints()["web"]
        assert (told["host"], told["url"]) == (PLACES[place].strip("[]"), url)
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.read().decode().endswith(url.removeprefix("http://"))


@in_both_ways
def test_a_service_that_only_listens_is_found_where_it_does(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("serves_at", "::1"), "pool": [port]}})
    with live.foreground() as up:
        up.says(f"http://[::1]:{port}")
        up.says("is up")
        live.do("restart", "web")
        assert live.run("url", "web").stdout == f"http://[::1]:{port}\n"
        assert json.loads(live.run("status", "--format", "json").stdout)["url"] == f"http://[::1]:{port}"


def test_a_service_is_asked_where_its_next_process_listens(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({})
    where = live.folder / "where"
    where.write_text("::1")
    command = ["sh", "-c", f"exec {' '.join(program('serves_at'))} $(cat {where})"]
    live.write({"web": {"command": command, "pool": [port], "ready": {"http": "/"}}})
    with live.up():
        assert live.rows()["web"]["url"] == f"http://[::1]:{port}"
        where.write_text("127.0.0.1")
        live.do("restart", "web")
        assert live.rows()["web"]["url"] == f"http://127.0.0.1:{port}"
        eventually(lambda: live.endpoints()["web"]["host"] == "127.0.0.1")


def test_a_socket_from_the_start_is_named_where_it_listens(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {
        "command": program("activated"), "pool": [port], "handoff": "systemd", "environment": {"HOST": "::1"},
        "ready": {"tcp": True},
    }})  # fmt: skip
    with live.up():
        assert live.rows()["web"]["url"] == f"http://[::1]:{port}"
