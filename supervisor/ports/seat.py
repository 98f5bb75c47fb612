"""What there is at one place where a service listens: the sockets that we keep, and who has asked for it."""

import os
import socket
from collections.abc import Collection, Iterator

from supervisor import system
from supervisor.core.handoff import Part
from supervisor.dataclass import dataclass, field
from supervisor.files.closing import close_shared
from supervisor.ports.socket_options import is_shared, unshare


@dataclass(frozen=True, slots=True)
class Claim:
    """A socket that process tree `who` has bound here; its `process` named it `fd` then.

    `is_shared` tells that SO_REUSEPORT was on: it has a queue of its own beside those of other workers.
    """

    who: object
    inode: int
    process: int = 0
    fd: int = -1
    is_shared: bool = False
    listens: bool = False
    part: Part = Part.LISTENS

    def taken(self, *, listening: bool = True) -> socket.socket | None:
        """The socket, from the process that has made it; None if that has it no more."""
        if self.listens is not listening or not self.process:
            return None
        from supervisor.system.held_calls import socket_of

        try:
            sock = socket_of(self.process, self.fd)
        except OSError:
            return None
        if inode_of(sock) == self.inode and is_listening(sock) is listening:
            return sock
        close_shared(sock)
        return None

    def is_there(self) -> bool:
        """Whether the process that has made it has it still, and it listens."""
        if (sock := self.taken()) is not None:
            close_shared(sock)
        return sock is not None


@dataclass(slots=True, eq=False)
class Seat:
    """`kept` are descriptors of ours by process tree; that of None is left over, for the next process.

    Of several workers one socket is kept, that of the youngest: the others end with their processes, and those of the
    tree that live take over what waits there.  `spent` are those of trees that ended while others did not, and clients
    are led to ours: the kernel knows that one by its place among all, which must not change before the others end.
    Where no queue moves, `held` are those of the other workers, by inode: what waits at one outlives its worker, and is
    `adrift` then, see `adrift`.
    """

    kept: dict[object, socket.socket] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    spent: list[socket.socket] = field(default_factory=list)
    opened: list[socket.socket] = field(default_factory=list)  # those that share the port so that clients get past them
    held: dict[int, socket.socket] = field(default_factory=dict)
    adrift: dict[int, socket.socket] = field(default_factory=dict)  # by inode
    hidden: set[int] = field(default_factory=set)  # those adrift that nobody gets to
    alone: list[socket.socket] = field(default_factory=list)  # those that do not share the port for the time being

    def sockets(self) -> list[socket.socket]:
        """Each that we have, once: two process trees may have the same one."""
        every = (*self.kept.values(), *self.spent, *self.held.values(), *self.adrift.values())
        return list({id(sock): sock for sock in every}.values())

    def inodes(self) -> Iterator[int]:
        """Of all sockets that are known here."""
        yield from map(inode_of, self.sockets())
        yield from (claim.inode for claim in self.claims)

    def inodes_of(self, who: object) -> set[int]:
        """Of those that a process tree has asked for."""
        mine = {claim.inode for claim in self.claims if claim.who == who}
        return mine | ({inode_of(self.kept[who])} if who in self.kept else set())

    def trees(self) -> set[object]:
        """Who has asked for it."""
        return {claim.who for claim in self.claims} | (self.kept.keys() - {None})

    def others_of(self, who: object) -> list[socket.socket]:
        """Those that listen for other process trees, the youngest last."""
        return [sock for other, sock in self.kept.items() if other not in (who, None) and is_listening(sock)]

    def all_of_others(self, who: object) -> Iterator[socket.socket]:
        """A descriptor of its own for each socket that listens for other process trees, whoever of these has it."""
        others = {id(sock): sock for sock in self.others_of(who)}.values()
        seen = self.inodes_of(who) | set(map(inode_of, others))
        yield from map(copy_of, others)
        for claim in self.claims:
            if claim.inode not in seen and (sock := claim.taken()) is not None:
                seen.add(claim.inode)
                yield sock

    def listens(self) -> bool:
        """Whether one of those that we keep does."""
        return any(map(is_listening, (*self.kept.values(), *self.spent)))

    def is_shared(self) -> bool:
        """Whether all that are here have SO_REUSEPORT on, but for the moment in which clients have to get past some."""
        passing = {id(sock) for sock in (*self.alone, *self.adrift.values())}
        others = [sock for sock in self.sockets() if id(sock) not in passing]
        return all(claim.is_shared for claim in self.claims) and all(map(is_shared, others))

    def is_shared_by(self, who: object) -> bool:
        """Whether a process tree has asked for it, each time with SO_REUSEPORT on."""
        return who in self.trees() and all(claim.is_shared for claim in self.claims if claim.who == who)

    def listens_for(self, who: object) -> bool:
        """Whether a process tree has begun to listen here."""
        return any(each.listens and each.who == who for each in self.claims)

    def workers(self, who: object) -> set[int]:
        """The processes of a tree that listen here with several sockets."""
        mine = [each for each in self.claims if each.who == who and each.listens and each.is_shared]
        return {each.process for each in mine if each.process} if len(mine) > 1 else set()

    def closers(self, who: object) -> Iterator[int]:
        """The processes of a tree that have no more what we have of them, and somebody waits there.

        Somebody else may have it from them.
        """
        ours = {inode_of(sock) for sock in self.ours_of(who) if is_listening(sock) and system.waiting_in(sock)}
        for each in self.claims:
            if each.who == who and each.inode in ours and each.listens and each.process and not each.is_there():
                yield each.process

    def left_to(self, who: object) -> list[socket.socket]:
        """Those that listen and that no process has any more: of an earlier tree, or of `who` itself."""
        has_none = not self.listens_for(who)
        left = [sock for other, sock in self.kept.items() if other is None or (has_none and other == who)]
        return [sock for sock in left if is_listening(sock)]

    def due_to(self, who: object) -> socket.socket | None:
        """What a process tree gets that has to have one of ours: its own, that where clients wait for the next one, or
        else that of another tree, which both have then.
        """
        own, left = self.kept.get(who), self.kept.get(None)
        if own is not None and (left is None or is_listening(own)):
            return own
        return left or next(iter(self.kept.values()), None)

    def give(self, who: object, sock: socket.socket) -> None:
        """Keeps one of these for a process tree; it is left over for nobody any more."""
        if self.kept.get(None) is sock:
            del self.kept[None]
        if self.kept.get(who) is not sock:
            self.keep(who, sock)

    def find(self, inode: int) -> socket.socket | None:
        """The kept one with this inode."""
        return next((sock for sock in self.sockets() if inode_of(sock) == inode), None)

    def add(self, claim: Claim) -> None:
        """Notes who has asked, beside other trees that have the same socket.

        Of those that do not listen the last one of a tree is enough.
        """
        self.claims = [
            each
            for each in self.claims
            if each.who != claim.who or (each.inode != claim.inode and (each.listens or claim.listens))
        ]
        self.claims.append(claim)

    def forget(self, who: object, inodes: Collection[int] | None = None) -> None:
        """Drops what a tree has asked for: all, or what has these inodes."""
        self.claims = [
            each for each in self.claims if each.who != who or (inodes is not None and each.inode not in inodes)
        ]

    def keep(self, who: object, sock: socket.socket, *, casts_off: bool = False) -> None:
        """Keeps this one for a process tree, in place of the one before, which is `adrift` if nobody has that."""
        if casts_off:
            self.cast_off_kept(who)
        before = self.kept.get(who)
        self.kept[who] = sock
        self._drop(before)

    def release(self, who: object) -> None:
        """Closes what is kept for a process tree, unless another one has it too."""
        self._drop(self.kept.pop(who, None))

    def spend(self, who: object) -> None:
        """What was kept for a process tree stays open until `drop_spent`, and nobody gets it."""
        self.spent.append(self.kept.pop(who))

    def drop_spent(self) -> None:
        """Closes what is of no use but for its place."""
        while self.spent:
            self._drop(self.spent.pop())

    def shut(self) -> None:
        """Clients need not get past them any more."""
        for sock in self.sockets():
            if any(sock is each for each in self.opened):
                unshare(sock)
        self.alone = [sock for sock in self.alone if all(sock is not each for each in self.opened)]
        self.opened.clear()

    def hold(self, who: object, *, is_all: bool = True) -> None:
        """What is kept for a process tree is held beside the one that will be, if it is that of another worker.

        Unless `is_all`, that is only done where another process has it, too, which goes on having it when that ends.
        """
        kept = self.kept.get(who)
        mine = [each for each in self.claims if each.who == who and each.listens and each.is_shared]
        meant = {each.inode for each in mine if is_all or each.part is not Part.LISTENS}
        if kept is None or not is_listening(kept) or inode_of(kept) not in meant:
            return
        if any(kept is sock for other, sock in self.kept.items() if other != who):
            return
        import resource  # late: most services have one socket

        from supervisor.core.relay import may_hold

        if may_hold(len(self.held), kept.fileno(), resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
            self.held[inode_of(kept)] = self.kept.pop(who)

    def hold_no_more(self) -> None:
        """Closes what need not be held."""
        for inode in self.held.keys() - {each.inode for each in self.claims if each.part is not Part.LISTENS}:
            close_shared(self.held.pop(inode))

    def ours_of(self, who: object) -> list[socket.socket]:
        """What is kept of a process tree, and held."""
        held = [self.held[each.inode] for each in self.claims if each.who == who and each.inode in self.held]
        return [*held, *([self.kept[who]] if who in self.kept else ())]

    def heir(self, who: object, gone: Collection[int]) -> socket.socket | None:
        """The socket of the youngest worker of a process tree that is none of these and has it still."""
        for each in reversed(self.claims):
            if each.who == who and each.inode not in gone and (sock := each.taken()) is not None:
                self._drop(self.held.pop(each.inode, None))
                return sock
        return None

    def cast_off(self, who: object, inodes: Collection[int] | None = None) -> None:
        """No process has those that are held of a tree any more: all, or those with these inodes."""
        for each in self.claims:
            is_meant = each.who == who and (inodes is None or each.inode in inodes)
            if is_meant and (sock := self.held.pop(each.inode, None)) is not None:
                self.adrift[each.inode] = sock

    def cast_off_kept(self, who: object) -> None:
        """Nor what is kept for it, unless another tree has it too."""
        kept = self.kept.pop(who, None)
        if kept is not None and all(kept is not sock for sock in self.kept.values()):
            self.adrift[inode_of(kept)] = kept

    def leave(self, who: object) -> None:
        """What was kept for a process tree is left over from now on."""
        sock = self.kept.pop(who)
        self.keep(None, sock)

    def close(self) -> None:
        """Closes all of them."""
        for sock in self.sockets():
            close_shared(sock)
        for every in (self.kept, self.spent, self.held, self.adrift, self.hidden, self.alone):
            every.clear()

    def _drop(self, sock: socket.socket | None) -> None:
        if sock is not None and all(sock is not other for other in self.kept.values()):
            close_shared(sock)


def is_listening(sock: socket.socket) -> bool:
    """socket(7), SO_ACCEPTCONN: also false of one that was shut down."""
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def inode_of(sock: socket.socket) -> int:
    """The socket as the kernel's tables name it."""
    return os.fstat(sock.fileno()).st_ino


def copy_of(sock: socket.socket) -> socket.socket:
    """Another descriptor of the same open file; the method `dup` would make it block, for its program too.

    What kind of socket it is nobody has to ask: where that failed, nobody would close the descriptor.
    """
    return socket.socket(sock.family, sock.type, sock.proto, os.dup(sock.fileno()))
