"""Who has a port that we can not have, in words for the person who has to act on it."""

import errno
import os
from enum import StrEnum

from supervisor import system
from supervisor.dataclass import dataclass
from supervisor.ports.record import Record
from supervisor.ports.runs import is_over
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Listener

RUN_ID = "PORTSUP_RUN_ID"  # in the environment of every process that portsup starts
_WSAEACCES = 10013


class ConflictKind(StrEnum):
    """Why a port can not be had; each kind is dealt with in its own way."""

    OWN_ORPHAN = "own-orphan"  # a process of a portsup that is dead: may be reaped
    OTHER_INSTANCE = "other-instance"  # another portsup has the lock
    FOREIGN = "foreign"  # somebody's program: never killed
    OS_RESERVED = "os-reserved"  # privileged, or excluded by Windows
    OWNERLESS = "ownerless"  # no process has it: closing connections, or an owner we can not see
    NOT_PERMITTED = "not-permitted"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who or what has a port; `text` is ready for a table, `pid` is 0 and the names are empty where unknown."""

    kind: ConflictKind
    text: str
    pid: int = 0
    name: str = ""
    user: str = ""
    stack: str = ""
    instance: int = 0
    service: str = ""
    run_id: str = ""

    def __str__(self) -> str:
        return self.text


def who_holds(port: int, runtime: RuntimeDir, errno: int = 0) -> Holder:
    """Who has `port`; `errno` is what binding it gave, 0 for "somebody else has the lock".

    Looks at the lock, the kernel's sockets and the open files of all processes that we may look into: milliseconds,
    so not for the way where all goes well.
    """
    if not errno:
        return _by_lock(port, runtime)
    return _by_errno(port, errno) or _by_socket(port, runtime) or _by_bystander(port)


def who_listens(found: Listener, runtime: RuntimeDir) -> Holder:
    """Whose listening socket this is."""
    pid = found.pid or system.owners_of((found,), None).get(found.inode, 0)
    if pid:
        return _process(pid, found, runtime)
    user = system.user_name(found.uid) if found.uid >= 0 else ""
    return _unseen(user)


def _unseen(user: str) -> Holder:
    of = f" by a process of user {user}" if user else ""
    return Holder(ConflictKind.FOREIGN, f"in use{of}, owner not visible", user=user)


def _by_lock(port: int, runtime: RuntimeDir) -> Holder:
    record = Record.read(runtime.port_record(port))
    if record is None:
        return Holder(ConflictKind.OTHER_INSTANCE, "leased to another portsup, which left no record")
    pid = record.owner.seen_from(system.pid_namespace())
    owner = record.owner.words_from(system.pid_namespace())
    if pid and not system.is_alive(record.owner):
        owner += " is gone, but something has its lock open"
    if record.instance:
        whose = f"`{record.service}` of stack `{record.stack}` instance {record.instance}"
    else:
        whose = f"`{record.service or record.stack}`"
    return Holder(
        ConflictKind.OTHER_INSTANCE,
        f"leased to {whose} ({owner})",
        pid=pid or 0,
        name=system.process_name(pid) if pid else "",
        user=system.process_user(pid) if pid else "",
        stack=record.stack,
        instance=record.instance,
        service=record.service,
        run_id=record.run_id,
    )


def _by_errno(port: int, number: int) -> Holder | None:
    match number:
        case errno.EACCES if port < system.first_unprivileged_port():
            return Holder(ConflictKind.OS_RESERVED, "reserved by the system (privileged port)")
        case _ if number == _WSAEACCES:
            text = "reserved by Windows (`netsh int ipv4 show excludedportrange tcp` lists such ports)"
            return Holder(ConflictKind.OS_RESERVED, text)
        case errno.EACCES | errno.EPERM:
            return Holder(ConflictKind.NOT_PERMITTED, f"not permitted by the system ({os.strerror(number)})")
        case errno.EADDRINUSE:
            return None
    return Holder(ConflictKind.NOT_PERMITTED, f"refused by the system ({os.strerror(number)})")


def _by_socket(port: int, runtime: RuntimeDir) -> Holder | None:
    sockets = sorted(system.sockets_on((port,)), key=lambda found: not found.listening)
    sockets += system.bound_only((port,))
    owners = system.owners_of(sockets, None)
    for found in sockets:
        pid = found.pid or owners.get(found.inode, 0)
        if pid and pid != os.getpid():
            return _process(pid, found, runtime)
    for found in sockets:
        if found.inode and found.inode not in owners:
            return _unseen(system.user_name(found.uid) if found.uid >= 0 else "")
    return None


def _process(pid: int, found: Listener, runtime: RuntimeDir) -> Holder:
    name, user = system.process_name(pid), system.process_user(pid)
    run_id = system.environ_of(pid).get(RUN_ID, "")
    who = f"`{name or '?'}` (pid {pid}, user {user})"
    if run_id and is_over(runtime, run_id):
        text = f"held by {who}, left over from a portsup that was killed"
        return Holder(ConflictKind.OWN_ORPHAN, text, pid, name, user, run_id=run_id)
    listens = "" if found.listening else ", not listening"
    return Holder(ConflictKind.FOREIGN, f"held by {who}{listens}", pid, name, user, run_id=run_id)


def _by_bystander(port: int) -> Holder:
    if system.sockets_on((port,)):
        return Holder(ConflictKind.OWNERLESS, "connections of an earlier server are still closing")
    return Holder(ConflictKind.OWNERLESS, "in use, owner not visible")
