"""Which of the sockets at one place gets those who connect from now on.

The kernel goes through its list of what listens at an address and takes the first; if that has SO_REUSEPORT on, it asks
the program of its group, or takes one of the group by the hash of the connection (inet_lhash2_lookup and
inet_lookup_reuseport in net/ipv4/inet_hashtables.c).  What begins to listen is first in the list; of IPv6, what has
SO_REUSEPORT on then, as each of a group has, is last (__inet_hash).
"""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Collection, Iterable

from supervisor import system
from supervisor.ports.socket_options import is_shared, share, unshare


def lead_to(ours: socket.socket, others: Collection[socket.socket]) -> list[socket.socket]:
    """Have all who connect get to `ours`, which has begun to listen after the others, also while those are closed.

    Gives those that share the port for this alone, to be undone by `unshare`.  Raises OSError.
    """
    if ours.family == socket.AF_INET:
        unshare(ours)
        return []
    return _past(others, lambda: None if system.lead_to_some([ours]) else _lead_to_last(ours))


def lead_past(others: Iterable[socket.socket]) -> None:
    """Have what waits at a process tree that ends, when it closes its sockets, move to none of these, but to `others`.

    Two that are closed at the same time could move it to each other.  Closes `others`, and is undone by
    `hand_out_freely`; nothing changes where only the sysctl moves queues.
    """
    with contextlib.ExitStack() as taken:
        chosen = [taken.enter_context(each) for each in others]
        if chosen:
            system.lead_to_some(chosen)


def lead_to_last(listening: socket.socket, before: Collection[socket.socket]) -> list[socket.socket]:
    """Have all who connect get to `listening`, the last of its group that has begun to listen; what `lead_to` gives.

    The kernel knows it by its place in the group, which changes when another one of it is closed.  Where `listening` is
    first in the list and has not SO_REUSEPORT on, it gets them anyway.  Raises OSError.
    """
    if listening.family == socket.AF_INET:
        _lead_to_last(listening)
        return []
    return _past(before, lambda: _lead_to_last(listening))


def lead_past_last(group: Collection[socket.socket]) -> list[socket.socket]:
    """Have all who connect get past the last of a group that has begun to listen; what `lead_to` gives.

    They get to the first, whose place does not change when others are closed.  Raises OSError.
    """
    first = next(iter(group))
    return _past(group, lambda: system.lead_to(first, 0))


def lead_past_first(listening: socket.socket, first: Collection[int]) -> None:
    """Have all who connect get past those of a group that have begun to listen `first` (inodes), or last if none has.

    They get to the next one.  While those are closed its place does not change: the last one gets that of each.  Raises
    OSError.
    """
    address, port = listening.getsockname()[:2]
    before = [each for each in system.listening((port,)) if each.address == address and each.inode in first]
    system.lead_to(listening, len(before))


def _past(others: Collection[socket.socket], lead: Callable[[], object]) -> list[socket.socket]:
    """Has the kernel ask the group, whichever of them it comes to first."""
    opened = [each for each in others if not is_shared(each)]
    try:
        for each in opened:
            share(each)
        lead()
    except BaseException:
        for each in opened:
            unshare(each)
        raise
    return opened


def _lead_to_last(listening: socket.socket) -> None:
    address, port = listening.getsockname()[:2]
    group = [each for each in system.listening((port,)) if each.address == address]
    if not group:  # the kernel did not tell of it
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    system.lead_to(listening, len(group) - 1)


def lead_freely(listening: socket.socket) -> None:
    """Undoes `lead_to_last` once those before are gone."""
    if not system.moves_queues():
        system.lead_anywhere(listening)


def hand_out_freely(listening: socket.socket) -> None:
    """The kernel hands out connections in the group of `listening` as it likes, and moves its queues if it can."""
    if system.moves_queues() != "bpf":
        system.lead_anywhere(listening)
    system.have_queue_moved(listening)  # in place of the program that was there: at no moment is there none
