"""A child that others stop, after it has become their user and before it executes its program."""

import os
import signal
from collections.abc import Iterator

import pytest

from supervisor.daemon.service.spawner import spawn_failed
from supervisor.errors import SpawnError
from supervisor.process import fork, vfork
from supervisor.process.spawn import spawn
from tests.support.children import Children, children

pytestmark = pytest.mark.live
STOP = ("raise", (signal.SIGSTOP,))


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """Starts programs in the way that those of other users are started."""
    monkeypatch.setattr(vfork, "works", lambda: False)
    with children() as started:
        yield started


@pytest.mark.parametrize("times", [1, 2])
def test_it_goes_on(start: Children, times: int) -> None:
    pid = spawn(start.command("sh", "-c", "exit 7"), lambda: [STOP] * times)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_one_that_has_ended_before_we_look_was_started(start: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    look = os.waitid

    def look_late(kind: int, pid: int, what: int) -> object:
        look(kind, pid, os.WEXITED | os.WNOWAIT)
        return look(kind, pid, what)

    monkeypatch.setattr(fork, "_LOOK_AFTER", 0)
    monkeypatch.setattr(os, "waitid", look_late)
    pid = spawn(start.command("sh", "-c", "exit 7"), lambda: [("usleep", (50_000,))])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_it_is_given_up_where_that_goes_on_too(start: Children) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(SpawnError, match="a process of its user stops it") as raised:
        spawn(start.command("true"), lambda: [STOP] * 50)
    assert spawn_failed(raised.value).is_transient, "it is tried again"
    assert set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
