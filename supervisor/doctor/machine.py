"""Checks of the machine: what `up` will find here.  Each looks at one thing and has something to say in any case."""

import os
import socket
import time
from collections.abc import Iterator

from supervisor import system
from supervisor.doctor.finding import Finding, Level
from supervisor.errors import PortsupError
from supervisor.logs.state_dir import check_state
from supervisor.ports.instances import InstanceInfo
from supervisor.process.filters import why_not
from supervisor.process.view import require_null
from supervisor.words import findings as words
from supervisor.words.surroundings import MOUNT_PROC

CLOCK_TOLERANCE = 2.0  # seconds between two clocks that are read one after the other on a busy machine
FILES_PER_SERVICE = 24  # descriptors: locks, covers, pipes, sockets, logs of a service with five ports
FILES_OF_OUR_OWN = 64


def check_names() -> Iterator[Finding]:
    """Whether `import supervisor` is portsup for everybody in this environment."""
    from importlib import metadata

    try:
        other = metadata.version("supervisor")
    except metadata.PackageNotFoundError:
        yield Finding("import-name", Level.OK, words.NO_OTHER_PACKAGE)
        return
    yield Finding("import-name", Level.ERROR, *words.other_package(other))


def check_handoff() -> Iterator[Finding]:
    """Whether ports can be handed over; starts one process to find out."""
    why = why_not()
    if not why:
        yield _moving()
        return
    yield Finding("handoff", Level.NOTE, *words.no_handoff(why))


def _moving() -> Finding:
    """How clients that wait for a service get to its next process."""
    match system.moves_queues():
        case "bpf":
            return Finding("handoff", Level.OK, words.QUEUES_BY_BPF)
        case "sysctl":
            return Finding("handoff", Level.OK, words.QUEUES_BY_SYSCTL)
    return Finding("handoff", Level.NOTE, *words.QUEUES_STAY)


def check_ipv6() -> Iterator[Finding]:
    """Whether the IPv6 half of a port can be held."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        yield Finding("ipv6", Level.OK, words.no_ipv6(error.strerror))
        return
    yield Finding("ipv6", Level.OK, words.BOTH_FAMILIES)


def check_null() -> Iterator[Finding]:
    """Whether /dev/null is what programs take it for."""
    try:
        require_null("")
    except PortsupError as error:
        yield Finding("null", Level.ERROR, error.why, error.hint)
        return
    yield Finding("null", Level.OK, words.NULL)


def check_watches() -> Iterator[Finding]:
    """Whether lock files can be watched without looking again and again."""
    if not system.HAS_WATCHES:
        yield Finding("watches", Level.NOTE, words.NEVER_WATCHES)
        return
    watch = system.open_watch()
    if watch is None:
        yield Finding("watches", Level.WARNING, *words.NO_WATCHES)
        return
    watch.close()
    yield Finding("watches", Level.OK, words.WATCHES)


def check_descriptors(services: int) -> Iterator[Finding]:
    """Whether so many services can be held with the descriptors that a process may have."""
    limit = system.descriptor_limit()
    need = FILES_OF_OUR_OWN + services * FILES_PER_SERVICE
    what, remedy = words.descriptors(limit, services, need)
    is_enough = limit >= need
    yield Finding("descriptors", Level.OK if is_enough else Level.ERROR, what, "" if is_enough else remedy)


def check_directory(name: str, path: str) -> Iterator[Finding]:
    """Whether portsup can write there; what is missing is made by `up`."""
    there = path
    while not os.path.lexists(there) and os.path.dirname(there) != there:
        there = os.path.dirname(there)
    if not os.access(there, os.W_OK | os.X_OK):
        variable = {"runtime": "PORTSUP_RUNTIME_DIR", "state": "PORTSUP_STATE_DIR"}[name]
        yield Finding(name, Level.ERROR, *words.not_writable(name, path, there, variable))
        return
    if unsafe := _unsafe(name, path):
        yield unsafe
        return
    free = _free_bytes(there)
    if free is not None and free < 10 * 1024 * 1024:
        yield Finding(name, Level.ERROR, *words.full(name, path, free))
        return
    yield Finding(name, Level.OK, words.directory(name, path))


def _unsafe(name: str, path: str) -> Finding | None:
    """The state directory, which nobody but us may change; the runtime directory is looked at when it is opened."""
    try:
        if name == "state":
            check_state(path)
    except PortsupError as error:
        return Finding(name, Level.ERROR, f"{error.what}: {error.why}", error.hint)
    return None


def check_namespaces(instances: list[InstanceInfo]) -> Iterator[Finding]:
    """Whether the processes of the instances that run can be seen from here; their locks can, in any case."""
    if why := system.process_trouble():
        yield Finding("processes", Level.ERROR, words.no_processes(why), MOUNT_PROC)
    for info in instances:
        if info.pid_here is None:
            yield Finding("processes", Level.NOTE, *words.elsewhere(info.stack, info.instance, info.whose))


def check_clock(instances: list[InstanceInfo]) -> Iterator[Finding]:
    """Whether the wall clock has jumped since an instance started; nothing of portsup's waits depends on it."""
    for info in instances:
        age = system.age_of(info.owner)
        if age is None:
            continue
        jump = time.time() - info.started_at - age
        if abs(jump) > CLOCK_TOLERANCE:
            yield Finding("clock", Level.NOTE, *words.clock_set(info.stack, info.instance, jump))


def _free_bytes(path: str) -> int | None:
    if not hasattr(os, "statvfs"):
        return None
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize if found.f_blocks else None
