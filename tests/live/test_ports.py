"""A stranger on a port: the next one of the pool is used and everybody knows, or the stack says why it cannot."""

import json
import os

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import SLEEPS, answer_of, is_free, stranger
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


@in_both_ways
def test_with_a_stranger_on_its_first_port_a_service_gets_the_second_and_everybody_knows(stack: Make) -> None:
    first, second, third = free_pool(3)
    live = stack({
        "web": {"command": program("listens"), "pool": [first, second, third]},
        "asks": {"command": program("prints_environment", "wait"), "depends_on": ["web"]},
    })  # fmt: skip
    with stranger(first), live.foreground() as up:
        up.says("is up")
        assert f"warning: web: uses port {second} ({first} is held by `" in up.err
        assert f"pid {os.getpid()}" in up.err
        row = live.rows()["web"]
        assert (row["port"], row["url"]) == (second, f"http://127.0.0.1:{second}")
        assert [entry["state"] for entry in row["pool"]] == ["taken", "active", "spare"]
        assert f"pid {os.getpid()}" in row["pool"][0]["holder"]
        assert live.endpoints()["web"]["port"] == second
        assert live.run("port", "web").stdout.strip() == str(second)
        told = json.loads(live.log("asks").splitlines()[0])
        assert (told["PORTSUP_WEB_PORT"], told["PORTSUP_WEB_URL"]) == (str(second), row["url"])
        assert answer_of(second) == str(row["pid"])
        up.send(15)
        assert up.ends() == 0
    live.leaves_nothing(first, second, third)


def test_a_port_that_browsers_refuse_is_said_once_with_the_address_for_them(stack: Make) -> None:
    bad = next(port for port in (6669, 6668, 6667, 6666, 6665) if is_free(port))
    (gate,) = free_pool(1)
    live = stack({
        "tools": {"command": program("listens"), "pool": [bad], "fetch_url": "{url:gate}/tools"},
        "gate": {"command": program("listens"), "pool": [gate]},
    })  # fmt: skip
    with live.foreground() as up:
        up.says("is up")
        up.says("note: ")
        up.send(15)
        assert up.ends() == 0
        (note,) = [line for line in up.err.splitlines() if line.startswith("note: ")]
    assert note.startswith("note: tools: browsers and other clients of the Fetch standard, such as ")
    assert note.endswith(f"refuse port {bad}; for them it is at http://127.0.0.1:{gate}/tools")


def test_a_fallback_is_forgotten_by_the_next_up(stack: Make) -> None:
    first, second = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": [first, second]}})
    with stranger(first), live.up():
        assert live.rows()["web"]["port"] == second
    with live.up():
        assert live.rows()["web"]["port"] == first


@in_both_ways
def test_with_strangers_on_all_ports_the_stack_ends_with_a_reason_for_each_and_leaves_nothing(stack: Make) -> None:
    pool, other = free_pool(2), free_pool(2)
    live = stack({
        "other": {"command": program("listens"), "pool": list(other)},
        "web": {"command": program("listens"), "pool": list(pool)},
    })  # fmt: skip
    with stranger(pool[0]), stranger(pool[1], "127.0.0.2"):
        done = live.run("up")
    assert done.returncode == 12, done.stderr
    assert "error: cannot start `web`: no port of its pool can be used" in done.stderr
    for port in pool:
        assert f"  {port}  held by `" in done.stderr
    assert f"pid {os.getpid()}" in done.stderr
    assert "hint: " in done.stderr
    live.leaves_nothing(*pool, *other)


@in_both_ways
def test_an_exhausted_pool_ends_up_in_the_background_with_the_same_words_and_code(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}})
    with stranger(port):
        done = live.run("up", "-d")
    assert done.returncode == 12, done.stderr
    assert f"  {port}  held by `" in done.stderr
    live.leaves_nothing(port)


@in_both_ways
@pytest.mark.parametrize("address", ["0.0.0.0", "::1", "::", "127.0.0.9"])
def test_a_stranger_on_any_address_of_a_port_is_a_stranger(stack: Make, address: str) -> None:
    first, second = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": [first, second]}})
    with stranger(first, address), live.up():
        assert live.rows()["web"]["port"] == second


@in_both_ways
def test_strict_ports_accept_the_first_port_of_a_pool_or_none(stack: Make) -> None:
    first, second = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": [first, second]}})
    with stranger(first):
        done = live.run("up", "--strict-ports")
        assert done.returncode == 12, done.stderr
        assert f"  {second}  not tried, ports are strict" in done.stderr
        live.write({"web": {"command": program("listens"), "pool": [first, second]}}, ports={"strict": True})
        assert live.run("up", "-d").returncode == 12
    with live.up("--strict-ports"):
        assert live.rows()["web"]["port"] == first
    live.leaves_nothing(first, second)


@in_both_ways
def test_a_dry_run_tells_which_ports_would_be_used_and_keeps_none(stack: Make) -> None:
    first, second = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": [first, second]}, "job": SLEEPS})
    with stranger(first):
        done = live.run("up", "--dry-run")
        assert done.returncode == 0, done.stderr
        assert str(second) in done.stdout
        assert f"{first}: held by `" in done.stdout
    assert live.infos() == []
    live.leaves_nothing(first, second)


@in_both_ways
def test_the_ports_of_a_service_that_runs_are_free_again_after_down(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with live.up():
        assert [port for port in pool if is_free(port)] == []
        assert live.run("down").returncode == 0
        live.leaves_nothing(*pool)


@in_both_ways
def test_another_stack_that_has_a_port_is_named(stack: Make) -> None:
    first, second, third = free_pool(3)
    shop = stack({"till": {"command": program("listens"), "pool": [first]}}, folder="shop", name="shop")
    live = stack({"web": {"command": program("listens"), "pool": [first, second, third]}})
    with shop.up(), live.up():
        row = live.rows()["web"]
        assert row["port"] == second
        assert "leased to `till` of stack `shop` instance 1" in row["pool"][0]["holder"]


@in_both_ways
def test_connections_that_linger_after_an_end_do_not_cost_the_first_port(stack: Make) -> None:
    first, second = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": [first, second]}})
    with live.up():
        answer_of(first)  # the server closes first: its end goes to TIME_WAIT
        live.do("restart", "web")
        assert live.rows()["web"]["port"] == first
        answer_of(first)
    with live.up():
        assert live.rows()["web"]["port"] == first


def test_every_ten_seconds_spares_are_retried_and_intruders_looked_for(stack: Make) -> None:
    """One test for all that the check does, because it takes ten seconds."""
    pool, shared, spare = free_pool(2), free_pool(2), free_pool(2)
    live = stack({
        "web": {"command": program("listens"), "pool": list(pool), "handoff": "off"},
        "shares": {"command": program("shares_port"), "pool": list(shared), "handoff": "off"},
        "calm": {"command": program("listens"), "pool": list(spare)},
    })  # fmt: skip
    taken = stranger(spare[1])
    with taken, live.foreground() as up:
        up.says("is up")
        before = live.rows()["calm"]
        assert [entry["state"] for entry in before["pool"]] == ["active", "taken"]
        taken.close()
        with stranger(pool[0], "127.0.0.2"), stranger(shared[0], shared=True):
            web = live.until("web", within=15, state="running", port=pool[1])
            assert web["pool"][0]["state"] == "quarantined"
            assert f"pid {os.getpid()}" in web["pool"][0]["holder"]
            assert live.until("shares", within=5, state="running", port=shared[1])["restarts"] == 1
            up.says(f"web: leaves port {pool[0]}: held by `")
        calm = eventually(lambda: live.rows()["calm"], within=5)
        assert [entry["state"] for entry in calm["pool"]] == ["active", "spare"]
        assert calm["pid"] == before["pid"], "a service that nobody bothers is left alone"
