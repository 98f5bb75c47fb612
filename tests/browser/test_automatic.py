"""What the page shows of replicas, of a service that waits for its first client, and of one that waits for room."""

import contextlib
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.process.filters import why_not
from tests.browser.looking import Looking, looking
from tests.live.stack import Live
from tests.support.ports import free_pool
from tests.support.running import program
from tests.web.serving import served

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.live, pytest.mark.timeout(240), pytest.mark.skipif(bool(why_not()), reason=why_not())]
LONG = 40.0


@contextlib.contextmanager
def window(browser: "Browser", folder: "Path", services: dict[str, Any], **top: Any) -> Iterator[tuple[Live, Looking]]:
    live = Live(folder / "p", services, **top)
    try:
        live.run("up", "-d")
        with served(live, enters=False) as page, looking(browser, page) as seen:
            seen.to("overview")
            yield live, seen
    finally:
        live.end()


def state(seen: Looking, name: str) -> str:
    return str(seen.rows().get(name, {}).get("state"))


def test_replicas_are_one_service_with_each_of_them_told(browser: "Browser", own_folders: "Path") -> None:
    many = {"command": program("http_health"), "pool": list(free_pool(3)), "replicas": 2, "min_ready": 1}
    with window(browser, own_folders, {"many": many}) as (live, seen):
        seen.until(lambda: state(seen, "many") == "running", within=LONG)
        seen.to("service/many")
        seen.sees("many.1", LONG)
        seen.sees("many.2")
        assert live.run("scale", "many=3").returncode == 0
        seen.sees("many.3", LONG)
        assert live.run("scale", "many=1").returncode == 0
        seen.until(lambda: "many.2" not in seen.page.inner_text("main"), "one is left", LONG)
        seen.to("overview")
        seen.until(lambda: list(seen.rows()) == ["many"], "one row", LONG)


def test_a_service_that_waits_for_its_first_client_is_idle_and_starts_by_it(
    browser: "Browser", own_folders: "Path"
) -> None:
    (port,) = free_pool(1)
    sleepy = {"command": program("http_health"), "pool": [port], "start": "on-connect"}
    with window(browser, own_folders, {"sleepy": sleepy}) as (_, seen):
        seen.until(lambda: state(seen, "sleepy") == "idle", within=LONG)
        assert "◌" in seen.page.inner_text("tr[data-service=sleepy]")
        seen.to("service/sleepy")  # what the page asks for does not wake it
        seen.sees("sleepy")
        seen.to("overview")
        seen.until(lambda: "sleepy" in seen.rows(), "its row", LONG)
        assert state(seen, "sleepy") == "idle"
        with socket.create_connection(("127.0.0.1", port), LONG):
            seen.until(lambda: state(seen, "sleepy") == "running", within=LONG)


def test_a_service_that_waits_for_room_says_for_whom(browser: "Browser", own_folders: "Path") -> None:
    first, second = free_pool(2)
    model = {"command": program("http_health"), "start": "on-connect", "memory_cost": "2GB", "start_timeout": "60s"}
    services = {"a": {**model, "pool": [first]}, "b": {**model, "pool": [second]}}
    with window(browser, own_folders, services, budget={"memory": "3GB"}) as (live, seen):
        seen.until(lambda: (state(seen, "a"), state(seen, "b")) == ("idle", "idle"), within=LONG)
        with socket.create_connection(("127.0.0.1", first), LONG):
            seen.until(lambda: state(seen, "a") == "running", within=LONG)
            with socket.create_connection(("127.0.0.1", second), LONG):
                seen.until(lambda: state(seen, "b") == "waiting", within=LONG)
                why = live.rows()["b"]["reason"]
                assert "`a`" in why
                seen.until(lambda: why in seen.page.inner_text("tr[data-service=b]"), "for whom", LONG)
        seen.until(lambda: state(seen, "b") in ("running", "idle"), "room", LONG)
