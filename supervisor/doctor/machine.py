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
from supervisor.process.view import REMEDY

CLOCK_TOLERANCE = 2.0  # seconds between two clocks that are read one after the other on a busy machine
FILES_PER_SERVICE = 24  # descriptors: locks, covers, pipes, sockets, logs of a service with five ports
FILES_OF_OUR_OWN = 64


def check_names() -> Iterator[Finding]:
    """Whether `import supervisor` is portsup for everybody in this environment."""
    from importlib import metadata

    try:
        other = metadata.version("supervisor")
    except metadata.PackageNotFoundError:
        yield Finding("import-name", Level.OK, "no other package here is imported as `supervisor`")
        return
    what = (
        f"the package `supervisor` {other} (supervisord) is installed in this environment, and has the same import name"
    )
    yield Finding("import-name", Level.ERROR, what, "install each in an environment of its own: `pipx install portsup`")


def check_handoff() -> Iterator[Finding]:
    """Whether ports can be handed over; starts one process to find out."""
    why = why_not()
    if not why:
        yield _moving()
        return
    remedy = "needs Linux 5.9 on x86-64 or aarch64, and a container that allows seccomp; services run without it, too"
    yield Finding("handoff", Level.NOTE, f"ports cannot be handed over to services: {why}", remedy)


def _moving() -> Finding:
    """How clients that wait for a service get to its next process."""
    match system.moves_queues():
        case "bpf":
            return Finding("handoff", Level.OK, "services keep their own sockets, and queues move by a BPF program")
        case "sysctl":
            return Finding(
                "handoff", Level.OK, "services keep their own sockets, and queues move (tcp_migrate_req is 1)"
            )
    what = "services keep their ports; from its second process on, a service gets the old socket in place of its own"
    remedy = "`sudo sysctl -w net.ipv4.tcp_migrate_req=1` lets each process keep its own (Linux 5.14 or newer)"
    return Finding("handoff", Level.NOTE, what, remedy)


def check_ipv6() -> Iterator[Finding]:
    """Whether the IPv6 half of a port can be held."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        what = f"there is no IPv6 here ({error.strerror}): ports are held on IPv4 alone, which is all that there is"
        yield Finding("ipv6", Level.OK, what)
        return
    yield Finding("ipv6", Level.OK, "ports are held on IPv4 and IPv6")


def check_watches() -> Iterator[Finding]:
    """Whether lock files can be watched without looking again and again."""
    watch = system.open_watch()
    if watch is None:
        what = "changes of lock files cannot be watched here: a lost lock is seen after 10 s at most"
        remedy = "on Linux `sysctl fs.inotify.max_user_instances=512`, or end programs that watch files"
        yield Finding("watches", Level.WARNING, what, remedy)
        return
    watch.close()
    yield Finding("watches", Level.OK, "lock files can be watched")


def check_descriptors(services: int) -> Iterator[Finding]:
    """Whether so many services can be held with the descriptors that a process may have."""
    limit = system.descriptor_limit()
    need = FILES_OF_OUR_OWN + services * FILES_PER_SERVICE
    what = f"a process may have {limit} files open; {services} services need about {need}"
    if limit < need:
        yield Finding(
            "descriptors", Level.ERROR, what, "raise the hard limit: `ulimit -Hn`, limits.conf(5), LimitNOFILE="
        )
    else:
        yield Finding("descriptors", Level.OK, what)


def check_directory(name: str, path: str) -> Iterator[Finding]:
    """Whether portsup can write there; what is missing is made by `up`."""
    there = path
    while not os.path.lexists(there) and os.path.dirname(there) != there:
        there = os.path.dirname(there)
    if not os.access(there, os.W_OK | os.X_OK):
        variable = {"runtime": "PORTSUP_RUNTIME_DIR", "state": "PORTSUP_STATE_DIR"}[name]
        what = f"the {name} directory `{path}` cannot be used: `{there}` is not writable for us"
        yield Finding(name, Level.ERROR, what, f"set {variable} to a folder of your own")
        return
    if unsafe := _unsafe(name, path):
        yield unsafe
        return
    free = _free_bytes(there)
    if free is not None and free < 10 * 1024 * 1024:
        what = f"the file system of the {name} directory `{path}` is full ({free // 1024} KiB are free)"
        yield Finding(name, Level.ERROR, what, "make room there")
        return
    yield Finding(name, Level.OK, f"the {name} directory is `{path}`")


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
        yield Finding("processes", Level.ERROR, f"portsup cannot tell which processes run: {why}", REMEDY)
    for info in instances:
        if info.pid_here is None:
            what = f"instance {info.instance} of `{info.stack}` runs ({info.whose}): its lock says so"
            remedy = "`portsup down` and the like reach it; what it started can be seen where it runs"
            yield Finding("processes", Level.NOTE, what, remedy)


def check_clock(instances: list[InstanceInfo]) -> Iterator[Finding]:
    """Whether the wall clock has jumped since an instance started; nothing of portsup's waits depends on it."""
    for info in instances:
        age = system.age_of(info.owner)
        if age is None:
            continue
        jump = time.time() - info.started_at - age
        if abs(jump) > CLOCK_TOLERANCE:
            where = "forward" if jump > 0 else "back"
            since = f"instance {info.instance} of `{info.stack}` started"
            what = f"the clock was set {where} by {abs(jump):.0f} s since {since}"
            remedy = "times in its logs before and after do not compare; restarts and timeouts are not affected"
            yield Finding("clock", Level.NOTE, what, remedy)


def _free_bytes(path: str) -> int | None:
    if not hasattr(os, "statvfs"):
        return None
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize if found.f_blocks else None
