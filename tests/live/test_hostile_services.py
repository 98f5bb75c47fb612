"""Services that do something over and over, while others want to be served."""

import os
import socket
import time

import pytest

from supervisor import system
from tests.live.conftest import Make
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

BINDS = """
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
print("begins", flush=True)
for _ in range(int(sys.argv[1])):
    assert libc.bind(-1, 0, 0) == -1 and ctypes.get_errno() == errno.EBADF
    assert libc.bind(0, 0, 0) == -1 and ctypes.get_errno() == errno.ENOTSOCK
print("done", flush=True)
import signal
signal.pause()
"""

STOPS = """
import os, signal, sys
print("begins", flush=True)
while True:
    newest = int(open("/proc/loadavg").read().split()[-1])
    for pid in range(newest, newest + 6):
        for _ in range(20 * (pid != os.getpid())):
            try:
                os.kill(pid, signal.SIGSTOP)
            except OSError:  # there is none, or it is not of our user yet
                pass
"""


def test_calls_for_what_is_no_socket_hold_up_nobody_and_are_between_the_program_and_the_kernel(stack: Make) -> None:
    live = stack({
        "web": {"command": program("listens"), "pool": list(free_pool(2))},
        "bad": {"command": ["python3", "-c", BINDS, "3000"], "pool": list(free_pool(1)), "ready": "started"},
    })  # fmt: skip
    with live.up():
        eventually(lambda: "done" in live.log("bad"))
        assert live.rows()["web"]["state"] == "running"
    assert not live.journal("bind not seen")


@pytest.mark.long
def test_spare_ports_held_by_sockets_in_flight_hold_up_nobody(stack: Make) -> None:
    """No process has them open, so a search for their owner goes through every descriptor of the machine."""
    pool = free_pool(5)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    crowd = [os.open(os.devnull, os.O_RDONLY) for _ in range(500)]
    try:
        for port in pool[2:]:
            with socket.create_server(("127.0.0.1", port)) as listener:
                socket.send_fds(ours, [b"x"], [listener.fileno()])
        with live.up():
            user = system.process_user(os.getpid())
            told = f"in use by a process of user {user}, owner not visible"
            eventually(lambda: [port["holder"] for port in live.rows()["web"]["pool"]] == [None, None, *[told] * 3])
            theirs.close()
            ours.close()
            live.until("web", within=30.0, pool=[
                {"port": port, "state": "active" if port == pool[0] else "spare", "holder": None, "cause": None}
                for port in pool
            ])  # fmt: skip
    finally:
        for descriptor in crowd:
            os.close(descriptor)
        theirs.close()
        ours.close()


def test_a_pattern_without_an_end_holds_up_nobody(stack: Make) -> None:
    line = "a" * 60 + "!"
    script = f"echo {line}; echo {line}; sleep 0.3; echo ready; exec sleep 60"
    live = stack({
        "web": {"command": program("listens"), "pool": list(free_pool(2))},
        "bad": {"command": ["sh", "-c", script], "ready": {"log": "((a+)+$)|^ready$"}},
    })  # fmt: skip
    with live.up():
        assert {name: row["state"] for name, row in live.rows().items()} == {"web": "running", "bad": "running"}


def test_a_pattern_that_is_given_up_is_named(stack: Make) -> None:
    line = "a" * 60 + "!"
    script = f"echo; for i in 1 2 3 4 5; do echo {line}; sleep 0.1; done; exec sleep 60"
    live = stack({
        "bad": {"command": ["sh", "-c", script], "ready": {"log": "(a+)+$", "timeout": "2s"}, "restart": "never"},
    })  # fmt: skip
    done = live.run("up", "-d")
    assert done.returncode == 10
    given_up = "`(a+)+$` takes too long on what it printed, and portsup looks for it no longer: use a simpler"
    assert f"{given_up} expression; its last line is `{line}`" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_service_that_stops_every_process_of_its_user_holds_up_nobody(stack: Make) -> None:
    """Its probes too, after they have become that user, and before they execute anything."""
    live = stack({
        "web": {"command": program("listens"), "pool": list(free_pool(2))},
        "bad": {
            "command": ["/usr/bin/env", "python3", "-c", STOPS], "working_dir": "/", "user": "54321", "group": "54321",
            "healthcheck": {"exec": ["true"], "interval": "100ms", "timeout": "100ms", "retries": 1000},
        },
    })  # fmt: skip
    with live.up():
        eventually(lambda: "begins" in live.log("bad"))
        for _ in range(10):
            begun = time.monotonic()
            assert live.do("restart", "web")["web"]["ok"]
            assert time.monotonic() - begun < 5
        assert live.rows()["bad"]["state"] == "running"
