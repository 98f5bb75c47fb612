"""Who has a port that we can not have, in words for the person who has to act on it."""

import errno
import os
import time
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from supervisor import system
from supervisor.core.marks import is_of_run
from supervisor.dataclass import dataclass, fields
from supervisor.ports.record import Record
from supervisor.ports.runs import dead_runs, is_over
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Listener

RUN_ID = "PORTSUP_RUN_ID"  # in the environment of every process that portsup starts
_WSAEACCES = 10013
SEARCH_WITHIN = 5.0  # seconds that a search through all processes may take


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
    is_sought: bool = False  # its owner is being looked for

    def __str__(self) -> str:
        return self.text

    def as_list(self) -> list[Any]:
        """What JSON can carry."""
        return [getattr(self, each.name) for each in fields(self)]

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> "Holder":
        """What `as_list` gave."""
        kind, *rest = values
        return cls(ConflictKind(kind), *rest)


def who_holds(port: int, runtime: RuntimeDir, errno: int = 0) -> Holder:
    """Who has `port`; `errno` is what binding it gave, 0 for "somebody else has the lock".

    Takes as long as `holders_of`, unless `at_once` knows.
    """
    return at_once(port, runtime, errno) or holders_of((port,), runtime)[port]


def at_once(port: int, runtime: RuntimeDir, errno: int) -> Holder | None:
    """The same where it can be known without a search; None where `holders_of` has to look."""
    return _by_errno(port, errno) if errno else _by_lock(port, runtime)


def holders_of(
    ports: Collection[int], runtime: RuntimeDir, within: float = SEARCH_WITHIN, ours: int = 0
) -> dict[int, Holder]:
    """Who uses these ports, all of them found in one search; not `ours`, which is this process if it is 0.

    Looks at the kernel's sockets and at the open files of all processes that we may look into, for so many seconds: the
    machine may have millions.
    """
    ours = ours or os.getpid()
    until = time.monotonic() + within
    found = sorted(system.sockets_on(ports), key=lambda each: not each.listening)
    by_port: dict[int, list[Listener]] = {port: [] for port in ports}
    for each in (*found, *system.bound_only(ports)):
        by_port[each.port].append(each)
    owners = system.owners_of([each for several in by_port.values() for each in several], None, until)
    ended_early = time.monotonic() >= until
    return {port: _by_sockets(several, owners, runtime, ended_early, ours) for port, several in by_port.items()}


def who_listens(found: Listener, runtime: RuntimeDir, within: float = SEARCH_WITHIN) -> Holder:
    """Whose listening socket this is."""
    until = time.monotonic() + within
    pid = found.pid or system.owners_of((found,), None, until).get(found.inode, 0)
    return _process(pid, found, runtime) if pid else _unseen(found, time.monotonic() >= until)


def _unseen(found: Listener, ended_early: bool) -> Holder:
    user = system.user_name(found.uid) if found.uid >= 0 else ""
    of = f" by a process of user {user}" if user else ""
    why = "there are too many processes to find it" if ended_early else "owner not visible"
    return Holder(ConflictKind.FOREIGN, f"in use{of}, {why}", user=user)


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


def _by_sockets(
    sockets: Sequence[Listener], owners: Mapping[int, int], runtime: RuntimeDir, ended_early: bool, ours: int
) -> Holder:
    for found in sockets:
        pid = found.pid or owners.get(found.inode, 0)
        if pid and pid != ours:
            return _process(pid, found, runtime)
    for found in sockets:
        if found.inode and found.inode not in owners:
            return _unseen(found, ended_early)
    if sockets:
        return Holder(ConflictKind.OWNERLESS, "connections of an earlier server are still closing")
    return Holder(ConflictKind.OWNERLESS, "in use, owner not visible")


def _process(pid: int, found: Listener, runtime: RuntimeDir) -> Holder:
    name, user = system.process_name(pid), system.process_user(pid)
    run_id = system.environ_of(pid).get(RUN_ID, "")
    who = f"`{name or '?'}` (pid {pid}, user {user})"
    if not run_id and (marks := system.marks_of(pid)):  # it may have lost the one, and has the other still
        run_id = next((run for run in dead_runs(runtime) if is_of_run(marks[:1], run)), "")
    if run_id and is_over(runtime, run_id):
        text = f"held by {who}, left over from a portsup that was killed"
        return Holder(ConflictKind.OWN_ORPHAN, text, pid, name, user, run_id=run_id)
    listens = "" if found.listening else ", not listening"
    return Holder(ConflictKind.FOREIGN, f"held by {who}{listens}", pid, name, user, run_id=run_id)
