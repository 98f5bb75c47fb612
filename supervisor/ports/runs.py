"""Which runs are over: the locks of a run decide, wherever it runs.

A process of another PID namespace, as in a container that shares our runtime directory, cannot be seen from here; its
locks can, as flock(2) knows no namespaces.
"""

import contextlib
import os
from collections.abc import Collection, Iterator

from supervisor import system
from supervisor.ports.instances import is_held
from supervisor.ports.lockfile import locks_of_ours
from supervisor.ports.record import read_json
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Identity


def dead_runs(runtime: RuntimeDir, among: Collection[str] | None = None) -> set[str]:
    """The run ids that records tell of, `among` these if they are given, and of which no lock is held any more.

    A lock that this process holds says nothing about the run in its record, unless the record is ours.
    """
    dead, alive = set[str](), set[str]()
    ours, me = locks_of_ours(), os.getpid()
    for run_id, owner, lock in _runs((runtime.ports, runtime.instances)):
        if run_id in alive or (among is not None and run_id not in among):
            continue
        is_alive = system.is_alive(owner)
        is_of_another = lock not in ours or (owner.pid == me and is_alive)
        (alive if is_alive or (is_of_another and is_held(lock)) else dead).add(run_id)
    return dead - alive


def is_over(runtime: RuntimeDir, run_id: str) -> bool:
    """Whether a run of which a record was found is over."""
    return bool(dead_runs(runtime, (run_id,)))


def runs_of(runtime: RuntimeDir, pid: int) -> set[str]:
    """The run ids of records that this process has left."""
    found = _runs((runtime.ports, runtime.instances))
    return {run_id for run_id, owner, _ in found if owner.pid == pid and not system.is_alive(owner)}


def stacks_of_runs(runtime: RuntimeDir) -> dict[str, str]:
    """The name of the stack of each run id that a record of an instance tells of."""
    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(runtime.instances):
            match read_json(os.path.join(runtime.instances, name)) if name.endswith(".json") else None:
                case {"run_id": str(run_id), "stack": str(stack)}:
                    found[run_id] = stack
    return found


def _runs(directories: Collection[str]) -> Iterator[tuple[str, Identity, str]]:
    """Run id, owner and lock file of each record."""
    for directory in directories:
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            if name.endswith(".json"):
                path = os.path.join(directory, name)
                match read_json(path):
                    case {"run_id": str(run_id), "owner": value} if run_id and (owner := Identity.from_json(value)):
                        yield run_id, owner, path.removesuffix(".json") + ".lock"
