"""All the processes of a service, also those that left its session, and how to end them to the last one.

On Linux the daemon is a child subreaper (prctl(2)), so a process whose parent ended becomes a child of the daemon; on
other systems it is looked for among all orphans.  The tree of a service is therefore its main process with all
descendants, and of the daemon's other children and of the orphans those that came from the service.  Those are known by
their session, by the mark that they were started with (`core.marks`), or by PORTSUP_RUN_ID and PORTSUP_SERVICE in the
environment they were started with.
"""

import contextlib
import os
import signal
from collections.abc import Collection

from supervisor import system
from supervisor.core.marks import is_of_run, mark, run_id
from supervisor.dataclass import dataclass

RUN_ID = "PORTSUP_RUN_ID"
SERVICE = "PORTSUP_SERVICE"
INVOCATION = "PORTSUP_INVOCATION"  # tells the two process trees of a service apart that is being replaced
MOST_LOOKS = 3  # of is_gone(), each at all processes of the machine
MOST_PASSES = 50  # of a kill: against a program that forks faster than we kill; the caller comes back


def new_run_id() -> str:
    """What marks every process of one run of one instance; nobody guesses it."""
    return run_id(system.mark_room(), int.from_bytes(os.urandom(5)), os.urandom(11).hex())


@dataclass(frozen=True, slots=True)
class Tree:
    """By what the processes of one start of a service are known.

    `main` is the pid that `spawn` gave, reaped or not; `others` the main processes of the other services: naming them
    saves looking at each.  With `invocation` only what carries that counts of those that left their session.
    """

    main: int
    run_id: str
    service: str
    daemon: int
    others: Collection[int] = ()
    invocation: str = ""


def roots(tree: Tree) -> list[int]:
    """The processes of a service whose parent is the daemon, zombies included; with jobs, all of them."""
    if system.HAS_JOBS:
        return sorted(system.job_members(tree.main))
    return _roots(tree, system.children_of(tree.daemon))


def _roots(tree: Tree, children: Collection[int]) -> list[int]:
    return [pid for pid in children if pid == tree.main or (pid not in tree.others and belongs(pid, tree))]


def orphans(tree: Tree, children: Collection[int]) -> list[int]:
    """Those that have come to another process: that may be anybody's, and so may a session whose leader is gone."""
    return _ours(tree, children, system.orphans_of(tree.daemon))


def _ours(tree: Tree, children: Collection[int], orphans: Collection[int]) -> list[int]:
    main = tree.main if tree.main in children else -1
    return [pid for pid in orphans if _session_of(pid) == main or _is_marked(pid, tree)]


def members(tree: Tree) -> set[int]:
    """The living processes of a service; empty means that nothing is left of it."""
    if system.HAS_JOBS:
        return system.job_members(tree.main)
    children = system.children_of(tree.daemon)
    found = set(found_roots := [*_roots(tree, children), *orphans(tree, children)])
    for root in found_roots:
        found.update(system.descendants_of(root))
    return {pid for pid in found if system.identity_of(pid) is not None}


def is_gone(tree: Tree) -> bool:
    """Whether nothing of a service is left; not as long as there is an orphan that cannot be told whose it is.

    One that is ending has no environment any more, and still has its sockets.  Where orphans of others end all the
    time, it is not gone yet either: the caller comes back, and nobody waits meanwhile.
    """
    if system.HAS_JOBS:
        return not system.job_members(tree.main)
    if not can_look():
        return False
    if (seen := _all_of_others(tree)) is None:
        return False
    ended = set[int]()
    for _ in range(MOST_LOOKS):
        found = set(system.orphans_of(tree.daemon)) - ended
        for pid in _ours(tree, seen, found):
            if system.identity_of(pid) is not None:
                return False
        if not (now := {pid for pid in found if system.identity_of(pid) is None}):
            return True
        ended |= now  # again: those that it had forked have come to the others only now
    return False


def has_ending(tree: Tree) -> bool:
    """Whether one is not at its end yet of a service of which all have begun to exit.

    Until then it may have its memory, its sockets and its locks.
    """
    return _all_of_others(tree) is None


def _all_of_others(tree: Tree) -> set[int] | None:
    """The children of the daemon; None if one that lives is of the service, or cannot be told yet."""
    seen: set[int] = set()
    while new := set(system.children_of(tree.daemon)) - seen:  # again: one that ended has left us its children
        if not (strangers := new - set(tree.others)):
            return seen | new
        for pid in strangers:
            is_left = pid == tree.main or belongs(pid, tree, or_may=True)
            if is_left and system.identity_of(pid) is not None:
                return None
        seen |= new
    return seen


def terminate(main: int, number: int) -> bool:
    """Send a signal to the process group of a service, stopped processes included; whether there was one."""
    if system.HAS_JOBS:
        return _ask(main, number)
    if not _is_group_ours(main):
        return False
    try:
        os.killpg(main, number)
        os.killpg(main, signal.SIGCONT)  # one that is stopped would take the signal only after the grace period
    except ProcessLookupError:
        return False
    except PermissionError:  # all of it runs as somebody else, by sudo or the like: its grace period will pass
        pass
    return True


def _ask(main: int, number: int) -> bool:
    try:
        system.send_signal(main, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # it cannot be asked, without a console: there is nothing to wait for
        system.end_job(main)
    return True


def terminate_outside(main: int, members: Collection[int], number: int) -> None:
    """Send a signal to those members that left the process group of their service, and missed what was sent there."""
    for pid in members:
        if not system.HAS_JOBS and _group_of(pid) != main:  # CTRL_BREAK reached the whole group
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)


def kill(tree: Tree) -> set[int]:
    """SIGKILL every process of a service, again and again until no new one shows up; gives all that were found.

    Does not wait until they are gone: the caller reaps them and asks `members` again.
    """
    if system.HAS_JOBS:
        return system.end_job(tree.main)
    killed: set[int] = set()
    for _ in range(MOST_PASSES):
        try:
            new = members(tree) - killed if can_look() else None
        except OSError:
            new = None
        if new is None:  # nobody can be looked up just now: its group at least, and the next look kills the rest
            if tree.main > 0:
                terminate(tree.main, system.SIGKILL)
            break
        if not new:
            break
        for group in {_group_of(pid) for pid in new} - {0, os.getpgrp()}:
            # A whole group at once, atomically: a fork cannot slip out between two kills.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for pid in new:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed |= new
    return killed


def can_look() -> bool:
    """Whether a descriptor is left to look at processes with: else each of them looks as if it were gone."""
    if system.HAS_JOBS:  # the job tells
        return True
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def is_unclaimed(pid: int, run_id: str) -> bool:
    """Whether a child of the daemon of this run has nothing left by which it could be told whose it is."""
    is_marked = is_of_run(system.marks_of(pid), run_id) or system.environ_of(pid).get(RUN_ID) == run_id
    return not is_marked and system.identity_of(pid) is not None


def may_kill(pid: int) -> bool:
    """Whether the system lets us: not if it has become another user, as by sudo, and we are not root."""
    try:
        system.send_signal(pid, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        pass
    return True


def end_at_once(pid: int) -> None:
    """Kill and reap a child of ours that has just begun, with its process group."""
    if system.HAS_JOBS:
        system.end_job(pid)
        return
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _session_of(pid: int) -> int:
    """0 where the process is gone, or its session is that of another PID namespace."""
    with contextlib.suppress(OSError):
        return os.getsid(pid)
    return 0


def belongs(pid: int, tree: Tree, *, or_may: bool = False) -> bool:
    """Whether a child of the daemon has come from the service; `or_may`: or cannot be told yet."""
    return _session_of(pid) == tree.main > 0 or _is_marked(pid, tree, or_may=or_may)


def _is_marked(pid: int, tree: Tree, *, or_may: bool = False) -> bool:
    marks = system.marks_of(pid)
    if is_of_run(marks, tree.run_id):
        return not tree.invocation or mark(tree.run_id, tree.invocation) in marks
    environment = system.environ_of(pid)
    if or_may and not environment and system.is_between_images(pid):
        return True
    if environment.get(RUN_ID) != tree.run_id or environment.get(SERVICE) != tree.service:
        return False
    return not tree.invocation or environment.get(INVOCATION, tree.invocation) == tree.invocation


def _is_group_ours(main: int) -> bool:
    # While a process waits to be reaped by us, its pid cannot be that of a stranger.
    waitid = getattr(os, "waitid", None)  # Python has it on macOS since 3.13
    try:
        if waitid is None:
            return os.getpgid(main) == main
        waitid(os.P_PID, main, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, ProcessLookupError):
        return False
    return True


def _group_of(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return 0
