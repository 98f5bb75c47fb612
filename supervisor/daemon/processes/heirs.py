"""Who stands for a service once the process that was started has ended well, and has left others in its place.

A program that puts itself into the background ends at once, and what it has left serves.  A server that replaces itself
without a gap (gunicorn, nginx, tableflip) starts its successor, which inherits the listening socket, and ends.
"""

import contextlib
import os
import stat
from collections.abc import Sequence

from supervisor import system
from supervisor.dataclass import dataclass
from supervisor.process import tree
from supervisor.system import Identity
from supervisor.words.sockets import listens_on, named_by

MOST_ASKED = 64  # processes whose descriptors are looked at
MOST_GENERATIONS = 5  # of processes that end while their heir is looked for
LONGEST_PID_FILE = 64  # bytes that are read of one; the pid is in its first line


@dataclass(frozen=True, slots=True)
class Heir:
    """The process, and how it is known."""

    pid: int
    why: str


def heir_of(its: tree.Tree, file: str, port: int | None) -> Heir | None:
    """Who stands for a process tree whose main process has ended: by its pid file, or by the port; "" and None for no
    such look.
    """
    before: list[int] = []
    for _ in range(MOST_GENERATIONS):
        roots = tree.roots(its)
        if roots == before:
            break
        known = ((system.identity_of(pid), pid) for pid in roots)
        oldest_first = [pid for identity, pid in sorted((each for each in known if each[0]), key=_age)]
        heir = by_pid_file(file, oldest_first) if file else None
        if heir is None and port is not None:
            with contextlib.suppress(OSError):  # nobody can be looked up just now: there is another look
                heir = by_socket(port, oldest_first)
        if heir is not None:
            return heir
        before = roots  # one may have left a child and ended while it was looked at, as daemon(3) does
    return None


def _age(known: tuple[Identity | None, int]) -> tuple[float, int]:
    return (known[0].start_time if known[0] else 0, known[1])


def by_pid_file(path: str, roots: Sequence[int]) -> Heir | None:
    """That which the file names, or of `roots` the one that it came from: nobody else's end is told to us."""
    named = read_pid(path)
    for root in roots:
        if named and (named == root or named in system.descendants_of(root)):
            return Heir(root, named_by(path))
    return None


def by_socket(port: int, roots: Sequence[int]) -> Heir | None:
    """The one of `roots` that listens on the port, or that what listens there came from."""
    listeners = [each for each in system.listening((port,)) if each.inode]
    if not listeners:
        return None
    why = listens_on(port)
    if holders := set(system.owners_of(listeners, roots[:MOST_ASKED]).values()):
        return Heir(next(root for root in roots if root in holders), why)
    for root in roots[:MOST_ASKED]:
        if system.owners_of(listeners, system.descendants_of(root)[:MOST_ASKED]):
            return Heir(root, why)
    return None


def read_pid(path: str) -> int:
    """The number in the first line of a file; 0 if there is none, or no such file."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                first = os.read(descriptor, LONGEST_PID_FILE).split(b"\n")[0].strip()
                return int(first) if first.isdigit() and len(first) <= 10 else 0
        finally:
            os.close(descriptor)
    return 0


def is_in_background(pid: int, main: int) -> bool:
    """Whether a process has left the session of its service, as programs do that put themselves into the background."""
    try:
        return os.getsid(pid) != main
    except ProcessLookupError:
        return False
