"""What a run that is over has left running is ended to the last one."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.process import leftovers
from supervisor.process.leftovers import reap_run
from supervisor.system import identity_of
from tests.support.children import Children, children
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

REPLACES = """
import os, time
while True:
    if not os.fork():
        print(os.getpid(), flush=True)
        time.sleep(1000)
    os.wait()
"""


@pytest.fixture
def start() -> Iterator[Children]:
    with children() as started:
        yield started


def children_of(pid: int) -> set[int]:
    return {each for each in system.descendants_of(pid) if identity_of(each) is not None}


def test_whom_a_server_puts_in_place_of_a_killed_worker_is_reaped_as_well(
    start: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = f"dead-{os.getpid()}"
    server = start.run(sys.executable, "-c", REPLACES, environment={"PORTSUP_RUN_ID": run})
    worker, others = int(re.findall(r"\d+", server.read(until="\n"))[0]), list[int]()
    end = leftovers._end

    def end_late(identity: system.Identity) -> int | None:
        if identity.pid == server.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            others.append(eventually(lambda: next(iter(children_of(server.pid) - {worker}), 0)))
        return end(identity)

    monkeypatch.setattr(leftovers, "_end", end_late)
    killed = reap_run(run)
    assert {each.pid for each in killed if each.gone} == {server.pid, worker, *others}
    assert [pid for pid in others if identity_of(pid)] == []
