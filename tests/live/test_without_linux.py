"""What holds where the system has nothing that Linux alone has, as on macOS: with PORTSUP_SYSTEM=posix."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, answer_of, is_alive
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


@pytest.fixture
def portable(stack: Make) -> Callable[..., Live]:
    def make(services: dict[str, object]) -> Live:
        live = stack(services)
        # The regular check comes every three seconds.
        live.env |= {"PORTSUP_SYSTEM": "posix", "PORTSUP_HANG_TIMEOUT": "9"}
        return live

    return make


def test_status_and_doctor_say_that_ports_are_not_handed_over(portable: Callable[..., Live]) -> None:
    pool = free_pool(2)
    live = portable({"web": {"command": program("listens"), "pool": list(pool)}})
    with live.up():
        assert "PORTSUP_SYSTEM is set to posix" in live.run("status", "--format", "wide").stdout
        assert answer_of(pool[0]) == str(live.rows()["web"]["pid"])
        said = live.run("doctor").stdout
        assert "ports cannot be handed over to services: PORTSUP_SYSTEM is set to posix" in said
        assert "looks at lock files every 10 s on this system" in said
    live.leaves_nothing(*pool)


def test_a_lost_lock_ends_everything_at_the_next_check(portable: Callable[..., Live]) -> None:
    pool = free_pool(2)
    live = portable({"web": {"command": program("ignores_sigterm"), "pool": list(pool)}})
    with live.foreground() as up:
        up.says("is up")
        pid = live.rows()["web"]["pid"]
        (live.runtime / "ports" / f"{pool[0]}.lock").unlink()
        assert up.ends(within=30) == 13, up.err
        assert f"the lock of port {pool[0]} of `web` is lost" in up.err
        assert not is_alive(pid)


def test_a_stranger_that_comes_after_the_service_was_seen_is_noticed(portable: Callable[..., Live]) -> None:
    """Beside it, at another address of the port: the covers are gone while a service runs without the handoff."""
    pool = free_pool(2)
    live = portable({"web": {"command": program("listens"), "pool": list(pool)}})
    with live.up(), socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        live.until("web", state="running")
        eventually(lambda: answer_of(pool[0]) != "", within=10)
        other.bind(("::1", pool[0]))
        other.listen()
        live.until("web", within=30, port=pool[1], state="running")


@pytest.mark.parametrize("who", ["guardian", "daemon"])
def test_nothing_outlives_a_part_of_portsup_that_is_killed(portable: Callable[..., Live], who: str) -> None:
    note = "children"
    command = ["sh", "-c", f"setsid sh -c 'echo $$$$ > {note}; exec sleep 1000' & exec sleep 1000"]
    live = portable({"web": {"command": command}, "other": SLEEPS})
    with live.foreground() as up:
        up.says("is up")
        file = Path(live.folder / note)
        eventually(
            lambda: file.exists() and file.read_text().strip(), within=10, what="the child that left its session"
        )
        pids = [int(file.read_text()), *(row["pid"] for row in live.rows().values())]
        daemon = live.daemon()
        os.kill(up.process.pid if who == "guardian" else daemon, signal.SIGKILL)
        code = up.ends(within=20)
        eventually(lambda: not any(map(is_alive, (*pids, daemon))), within=10, what="the end of all of them")
        assert code == (-signal.SIGKILL if who == "guardian" else 128 + signal.SIGKILL)
        if who == "daemon":
            assert "with 3 processes that it had started" in up.err
