"""Services that do something over and over, while others want to be served."""

import pytest

from tests.live.conftest import Make
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

BINDS = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
print("begins", flush=True)
for _ in range(int(sys.argv[1])):
    libc.bind(-1, 0, 0)
print("done", flush=True)
import signal
signal.pause()
"""


def test_calls_that_cannot_be_looked_into_are_told_a_few_times_and_counted(stack: Make) -> None:
    live = stack({
        "web": {"command": program("listens"), "pool": list(free_pool(2))},
        "bad": {"command": ["python3", "-c", BINDS, "3000"], "pool": list(free_pool(1)), "ready": "started"},
    })  # fmt: skip
    with live.up():
        eventually(lambda: "done" in live.log("bad"))
        assert live.rows()["web"]["state"] == "running"
    assert 0 < len(live.journal("bind not seen")) <= 12
    (counted, *_) = live.journal("events left out")
    assert (counted["service"], counted["of"]) == ("bad", "bind not seen")
    assert sum(each["count"] for each in live.journal("events left out")) >= 2900


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
    script = f"for i in 1 2 3 4 5; do echo {line}; sleep 0.1; done; exec sleep 60"
    live = stack({
        "bad": {"command": ["sh", "-c", script], "ready": {"log": "(a+)+$", "timeout": "2s"}, "restart": "never"},
    })  # fmt: skip
    done = live.run("up", "-d")
    assert done.returncode == 10
    assert "`(a+)+$` takes too long on what it printed, and is looked for no longer: use a simpler" in done.stderr
