"""In which PID namespace we are, and what can be seen from there: pid_namespaces(7)."""

import contextlib
import functools
import os

from supervisor.system.identity import Identity

_FIRST_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, linux/proc_ns.h


@functools.cache
def boot_id() -> str:
    """Linux's name of this boot, proc(5); empty where that cannot be read."""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()
    return ""


@functools.cache
def pid_namespace() -> int:
    """The inode of the PID namespace whose numbers we use, pid_namespaces(7); 0 where that cannot be told."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def would_see(identity: Identity) -> bool:
    """Whether that process, and what it started, could be seen from here if it were alive.

    A PID namespace sees itself and those below it; the first one sees them all.
    """
    return identity.namespace in (0, pid_namespace()) or pid_namespace() == _FIRST_NAMESPACE or (
        identity.boot != boot_id()
    )  # fmt: skip


def process_trouble() -> str:
    """Why what /proc tells of processes means nothing here, "" if it does.

    `unshare --pid --fork` without `--mount-proc` leaves the /proc of the namespace above: its numbers are not ours.
    """
    try:
        seen = os.readlink("/proc/self")
    except OSError:
        return "there is no /proc here"
    return "" if seen == str(os.getpid()) else "/proc shows the processes of another PID namespace"
