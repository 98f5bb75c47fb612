"""Who has a port that we cannot have."""

import errno
import os
import time
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from supervisor import system
from supervisor.annotations import Any
from supervisor.core.marks import is_of_run
from supervisor.core.reasons import TOO_MANY, Held
from supervisor.dataclass import dataclass, fields
from supervisor.ports.record import Record
from supervisor.ports.runs import dead_runs, is_over
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Listener
from supervisor.words.locks import gone_but_locked
from supervisor.words.reasons import text_of

RUN_ID = "PORTSUP_RUN_ID"  # in the environment of every process that portsup starts
_WSAEACCES = 10013
CLOSED_WITHIN = 0.02  # seconds that sockets need after their process
CLOSED_AT_LAST = 0.5  # the same on a busy machine, for those of our user: nearly all its processes can be looked into
SEARCH_WITHIN = 5.0  # seconds that a search through all processes may take


class ConflictKind(StrEnum):
    """Why a port cannot be had; each kind is dealt with in its own way."""

    OWN_ORPHAN = "own-orphan"  # a process of a portsup that is dead: may be reaped
    OTHER_INSTANCE = "other-instance"  # another portsup has the lock
    FOREIGN = "foreign"  # somebody's program: never killed
    OS_RESERVED = "os-reserved"  # privileged, or excluded by Windows
    OWNERLESS = "ownerless"  # no process has it any more, or not for long: closing connections, a process that exits
    NOT_PERMITTED = "not-permitted"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who or what has a port; `why` says how, `pid` is 0 and the names are empty where unknown."""

    kind: ConflictKind
    why: Held
    pid: int = 0
    name: str = ""
    user: str = ""
    stack: str = ""
    instance: int = 0
    service: str = ""
    run_id: str = ""
    is_sought: bool = False  # its owner is being looked for

    @property
    def text(self) -> str:
        """The same in words, ready for a table."""
        return text_of(self.why)

    def __str__(self) -> str:
        return self.text

    def as_list(self) -> list[Any]:
        """What JSON can carry."""
        kind, why, *rest = (getattr(self, each.name) for each in fields(self))
        return [kind, why.facts if isinstance(why, Held) else why, *rest]

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> "Holder":
        """What `as_list` gave."""
        kind, why, *rest = values
        return cls(ConflictKind(kind), Held(**why) if isinstance(why, Mapping) else why, *rest)


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
    try:
        return _holders_of(ports, runtime, time.monotonic() + within, ours or os.getpid())
    except OSError:  # no descriptor or memory to look with
        return dict.fromkeys(ports, Holder(ConflictKind.FOREIGN, Held("not-found")))


def _holders_of(ports: Collection[int], runtime: RuntimeDir, until: float, ours: int) -> dict[int, Holder]:
    found = _sockets(ports)
    owners = system.owners_of(found, None, until)
    ended_early = time.monotonic() >= until
    unseen = {each.inode for each in found if each.inode and not each.pid and each.inode not in owners}
    if unseen:  # those of a process that exits are nobody's for a moment, and then they are gone
        unseen = _left_of(unseen, {each.port for each in found if each.inode in unseen})
    by_port: dict[int, list[Listener]] = {port: [] for port in ports}
    for each in found:
        if not each.inode or each.pid or each.inode in owners or each.inode in unseen:
            by_port[each.port].append(each)
    return {port: _by_sockets(several, owners, runtime, ended_early, ours) for port, several in by_port.items()}


def _left_of(unseen: Collection[int], ports: Collection[int]) -> set[int]:
    """Those of some sockets on these ports that are there for longer than their process may need to exit."""
    until, user = time.monotonic() + CLOSED_AT_LAST, system.current_user_id()
    while True:
        time.sleep(CLOSED_WITHIN)
        left = [each for each in _sockets(ports) if each.inode in unseen]
        if not any(each.uid == user for each in left) or time.monotonic() >= until:
            return {each.inode for each in left}


def _sockets(ports: Collection[int]) -> list[Listener]:
    """All that are on these ports, those that listen first."""
    found = sorted(system.sockets_on(ports), key=lambda each: not each.listening)
    return [*found, *system.bound_only(ports)]


def who_listens(found: Listener, runtime: RuntimeDir, within: float = SEARCH_WITHIN) -> Holder:
    """Whose listening socket this is."""
    until = time.monotonic() + within
    try:
        pid = found.pid or system.owners_of((found,), None, until).get(found.inode, 0)
    except OSError:  # no descriptor or memory to look with
        pid = 0
    return _process(pid, found, runtime) if pid else _unseen(found, time.monotonic() >= until)


def _unseen(found: Listener, ended_early: bool) -> Holder:
    user = system.user_name(found.uid) if found.uid >= 0 else ""
    held = Held("unseen", user=user, detail=TOO_MANY if ended_early else "")
    return Holder(ConflictKind.FOREIGN, held, user=user)


def _by_lock(port: int, runtime: RuntimeDir) -> Holder:
    record = Record.read(runtime.port_record(port))
    if record is None:
        return Holder(ConflictKind.OTHER_INSTANCE, Held("unrecorded"))
    pid = record.owner.seen_from(system.pid_namespace())
    owner = record.owner.words_from(system.pid_namespace())
    if pid and not system.is_alive(record.owner):
        owner = gone_but_locked(owner)
    name, user = (system.process_name(pid), system.process_user(pid)) if pid else ("", "")
    return Holder(
        ConflictKind.OTHER_INSTANCE,
        Held("leased", name, pid or 0, user, record.stack, record.instance, record.service, owner),
        pid=pid or 0,
        name=name,
        user=user,
        stack=record.stack,
        instance=record.instance,
        service=record.service,
        run_id=record.run_id,
    )


def _by_errno(port: int, number: int) -> Holder | None:
    match number:
        case errno.EACCES if port < system.first_unprivileged_port():
            return Holder(ConflictKind.OS_RESERVED, Held("privileged"))
        case _ if number == _WSAEACCES:
            return Holder(ConflictKind.OS_RESERVED, Held("excluded"))
        case errno.EACCES | errno.EPERM:
            return Holder(ConflictKind.NOT_PERMITTED, Held("not-permitted", detail=os.strerror(number)))
        case errno.EADDRINUSE:
            return None
    return Holder(ConflictKind.NOT_PERMITTED, Held("refused", detail=os.strerror(number)))


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
        return Holder(ConflictKind.OWNERLESS, Held("closing"))
    return Holder(ConflictKind.OWNERLESS, Held("unseen"))


def _process(pid: int, found: Listener, runtime: RuntimeDir) -> Holder:
    name, user = system.process_name(pid), system.process_user(pid)
    run_id = system.environ_of(pid).get(RUN_ID, "")
    if not run_id and (marks := system.marks_of(pid)):  # it may have lost the one, and has the other still
        run_id = next((run for run in dead_runs(runtime) if is_of_run(marks[:1], run)), "")
    if run_id and is_over(runtime, run_id):
        held = Held("left-over", name, pid, user)
        return Holder(ConflictKind.OWN_ORPHAN, held, pid, name, user, run_id=run_id)
    if system.is_ending(pid):
        return Holder(ConflictKind.OWNERLESS, Held("ending", name, pid, user), pid, name, user, run_id=run_id)
    held = Held("listening" if found.listening else "bound", name, pid, user)
    return Holder(ConflictKind.FOREIGN, held, pid, name, user, run_id=run_id)
