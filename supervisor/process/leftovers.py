"""What a run that is over has left running, and the end of that."""

import contextlib
import os
import select
import time
from collections.abc import Collection

from supervisor import system
from supervisor.core.marks import is_of_run
from supervisor.dataclass import dataclass
from supervisor.process.tree import MOST_PASSES, RUN_ID, SERVICE
from supervisor.system import Identity

REAP_WITHIN = 2.0  # seconds until a process must be gone after SIGKILL


@dataclass(frozen=True, slots=True)
class Killed:
    """A process left over from a run that is gone; `gone` tells whether SIGKILL really ended it in time."""

    pid: int
    name: str
    service: str
    gone: bool


def left_of(runs: Collection[str]) -> dict[int, str]:
    """The living processes of these runs, which are over, each with the run that it is of; never us or our parents.

    Another run that a process names in its environment has started it since, and counts more than its mark.
    """
    spared, found = set(_ourselves()), dict[int, str]()
    if not runs:
        return found
    named = {pid: run for run in runs for pid in system.pids_with_environ(RUN_ID, run)}
    for pid, marks in system.pids_with_marks().items():
        run = next((run for run in runs if is_of_run(marks[:1], run)), "")
        if run and system.environ_of(pid).get(RUN_ID, run) == run:
            named.setdefault(pid, run)
    for pid, run in named.items():
        for each in (pid, *system.descendants_of(pid)):
            found.setdefault(each, run)
    return {pid: run for pid, run in found.items() if pid not in spared and system.identity_of(pid) is not None}


def reap_run(run_id: str, spared: Collection[int] = ()) -> list[Killed]:
    """Kill what is left of a run whose portsup is dead, wait until it is gone; never us, our parents or `spared`.

    It looks again until nobody new is there: a server replaces a worker that is killed before it is killed itself.
    """
    targets: dict[int, Identity] = {}
    notes: dict[int, tuple[str, str]] = {}
    ended: dict[int, int | None] = {}
    for _ in range(MOST_PASSES):
        new = left_of((run_id,)).keys() - set(spared) - targets.keys()
        found = {pid: identity for pid in new if (identity := system.identity_of(pid)) is not None}
        if not found:
            break
        targets |= found
        notes |= {pid: (system.process_name(pid), system.environ_of(pid).get(SERVICE, "")) for pid in found}
        ended |= {pid: _end(identity) for pid, identity in found.items()}
    deadline = time.monotonic() + REAP_WITHIN
    return [Killed(pid, *notes[pid], _is_gone(targets[pid], ended[pid], deadline)) for pid in targets]


def _ourselves() -> list[int]:
    """We and all processes that we come from."""
    found = [os.getpid()]
    while (parent := system.parent_of(found[-1])) > 1 and parent not in found:
        found.append(parent)
    return found


def _end(identity: Identity) -> int | None:
    """SIGKILL that very process; gives a descriptor to wait for its end with, None where the system has none."""
    descriptor = system.open_end_of(identity.pid)
    # Looked at again now that the descriptor, if it can, holds on to whoever has the pid.
    if system.is_alive(identity):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            system.kill_exactly(identity.pid, descriptor)
    return descriptor


def _is_gone(identity: Identity, descriptor: int | None, deadline: float) -> bool:
    if descriptor is not None:
        try:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            waiting.poll(max(0.0, deadline - time.monotonic()) * 1000)
        finally:
            os.close(descriptor)
    while system.is_alive(identity):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.005)
    return True
