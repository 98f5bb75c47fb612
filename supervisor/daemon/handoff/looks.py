"""What has to be looked up about a process tree before a bind can be answered: it takes long in a large one."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.annotations import Any
from supervisor.core.handoff import Place, parse_address
from supervisor.dataclass import dataclass
from supervisor.ports.seat import Claim, inode_of
from supervisor.system import Listener
from supervisor.system.held_calls import Asked, memory_of, process_of
from supervisor.system.registrations import Uses, uses_of
from supervisor.words.sockets import listens_at_another, shared_with

TRIES = 5
LONGEST_ADDRESS = 128  # bytes, struct sockaddr_storage
# Does the first somewhere, and calls the second with what came of it in the loop.
Aside = Callable[[Callable[[], Any], Callable[[Any], None]], None]


def at_once(look: Callable[[], Any], then: Callable[[Any], None]) -> None:
    """For a loop that serves one program alone: nobody else has to wait."""
    then(look())


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether a process of the tree has one of the sockets open, and where it names its new one."""

    is_open: bool = False
    uses: Uses | None = None
    trouble: OSError | None = None

    def insist(self) -> None:
        """Raises OSError if it could not be looked, or somebody has it open."""
        if self.trouble is not None or self.is_open:
            raise self.trouble or OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))  # as bind(2) says


def look(
    thread: int, theirs: socket.socket, inodes: Collection[int], members: Callable[[], Collection[int]], *,
    swaps: bool,
) -> Seen:  # fmt: skip
    """Looks through the process tree of a thread whose call waits; `theirs` is the socket that it is about."""
    for _ in range(TRIES):
        with contextlib.suppress(RuntimeError):  # what is known of the processes has changed while it was read
            return _look(thread, theirs, inodes, members, swaps)
    return Seen(trouble=OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)))


def _look(
    thread: int, theirs: socket.socket, inodes: Collection[int], members: Callable[[], Collection[int]], swaps: bool
) -> Seen:
    try:
        process = process_of(thread)
        if inodes and open_inodes(inodes, (process,)):
            return Seen(is_open=True)
        others = set(members()) - {process} if inodes or swaps else set()
        if inodes and open_inodes(inodes, others):
            return Seen(is_open=True)
        if not swaps:
            return Seen()
        uses = uses_of(thread, theirs)
        if not uses.obstacle and (owner := open_inodes((inode_of(theirs),), others)):
            (pid,) = owner.values()
            uses = Uses(uses.descriptors, uses.entries, shared_with(system.process_name(pid), pid))
        return Seen(uses=uses)
    except OSError as error:
        return Seen(trouble=error)


def open_inodes(inodes: Collection[int], processes: Collection[int]) -> dict[int, int]:
    """Those of some sockets that one of the processes has open, with its pid."""
    listeners = [Listener(0, socket.AF_INET, "", inode=inode) for inode in inodes]
    return system.owners_of(listeners, processes) if processes else {}


def asked_address(asked: Asked, family: int) -> tuple[str, int, int] | None:
    """The address that a bind call of a socket of this family is about; None where the kernel is to complain."""
    length = asked.length if asked.length <= LONGEST_ADDRESS else 0  # EINVAL, too
    return parse_address(memory_of(asked.thread, asked.address, length), family)


def claim_of(who: object, asked: Asked, theirs: socket.socket) -> Claim:
    """What process tree `who` asks for by a call that is about the socket `theirs`; raises OSError."""
    is_shared = bool(theirs.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))
    return Claim(who, inode_of(theirs), process_of(asked.thread), asked.fd, is_shared)


def why_lost(places: Collection[Place], new: Place) -> str:
    """Why clients that wait at some places cannot be served by a program that listens at a new one."""
    return listens_at_another(sorted(place.address for place in places), new.address)
