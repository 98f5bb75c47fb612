"""The leases of one service: every port of its pool, locked, reserved and recorded."""

import contextlib
import errno
from collections.abc import Callable, Mapping, Sequence

from supervisor.core.pool import Pick, pick
from supervisor.core.port_state import Quarantine
from supervisor.core.reasons import Cause, NotTried
from supervisor.errors import PortsupError
from supervisor.ports.holders import ConflictKind, Holder, who_holds
from supervisor.ports.leased_port import LeasedPort
from supervisor.ports.outcomes import ChosenPort as ChosenPort
from supervisor.ports.outcomes import Loss as Loss
from supervisor.ports.outcomes import NoPort as NoPort
from supervisor.ports.outcomes import PortStatus as PortStatus
from supervisor.ports.port_lock import PortLock
from supervisor.ports.record import Owner
from supervisor.ports.reservation import Refused, Reservation, hold, joined, reserve
from supervisor.ports.runs import is_over
from supervisor.ports.runtime import RuntimeDir, error_in
from supervisor.words.locks import TOO_MANY_FILES, not_leased


class PoolLease:
    """The ports of one service of one instance.

    All of them are leased at once; the first usable one becomes `active`, the rest are spares that nobody else gets.
    `strict`: only the first port may become active.  `records_later`: making files on a disk takes time, so `choose`
    writes the record of the active port only, and the caller has `record` write the others soon.  `who`, which has the
    port and the errno (0 for its lock), says who has a port: one that cannot wait for that tells it by `learn`, later.
    Such a one does not wait either for a lock that somebody may only look at.
    """

    def __init__(
        self, owner: Owner, ports: Sequence[int], runtime: RuntimeDir, *, strict: bool = False,
        records_later: bool = False, who: Callable[[int, int], Holder] | None = None,
    ) -> None:  # fmt: skip
        self.owner = owner
        self.active: int | None = None
        self._runtime = runtime
        self._strict = strict
        self._records_later = records_later
        self._is_patient = who is None
        self._has_served = False  # one of the ports was active
        self._who = who or (lambda port, errno: who_holds(port, runtime, errno))
        self._ports = {port: LeasedPort(port, PortLock(port, runtime=runtime, owner=owner)) for port in ports}
        self._orphans: dict[str, None] = {}

    @property
    def pool(self) -> tuple[int, ...]:
        """The ports it is for."""
        return tuple(self._ports)

    def begin(self) -> list[LeasedPort]:
        """Lock and hold before `choose` what is not leased yet, as far as it can be had; for one with `records_later`.

        Gives the ports of which nobody knows yet whether we have joined somebody there: see `drop_joined`.
        """
        doubtful = []
        for port in self._ports.values():
            if port.is_leased:
                continue
            try:
                got = hold(port.number) if port.lock.is_held or self._take_lock(port) else None
            except OSError:  # `choose` tells of it
                got = None
            if not isinstance(got, Reservation):
                port.give_up()
                continue
            port.reservation, port.holder = got, None
            if got.is_doubtful:
                doubtful.append(port)
        return doubtful

    def choose(self, avoid: Mapping[int, Cause], now: float, leaving: int | None = None) -> ChosenPort | NoPort:
        """Lease every port that is not yet, and make the first usable one active; `now` is in monotonic seconds.

        `avoid` are ports not to use, with the reason; after `leaving` its successors in the pool come first.
        No process of the service may be running: its port is reserved again.
        Raises PortsupError for what is no fault of a port: a full disk, too many open files; where one of them has been
        active before only if that leaves none.
        """
        self.active, trouble = None, None
        for port in self._ports.values():
            port.is_handed_over = False
            try:
                self._lease(port)
            except PortsupError as error:
                if not self._has_served:
                    raise
                trouble = error
        missing = [port for port in self._ports.values() if not port.is_leased]
        taken = {port.number: port.holder.why if port.holder else NotTried() for port in missing}
        quarantines = {port.number: port.quarantine for port in self._ports.values() if port.quarantine}
        chosen = pick(
            tuple(self._ports), taken=taken, avoid=avoid, quarantines=quarantines, now=now, leaving=leaving,
            strict=self._strict,
        )  # fmt: skip
        if isinstance(chosen, Pick):
            self._record(self._ports[chosen.port])
            self.active, self._has_served = chosen.port, True
            return ChosenPort(chosen.port, tuple((port, self._holder(port) or why) for port, why in chosen.skipped))
        if trouble is not None:
            raise trouble
        return NoPort(chosen.reasons, tuple(filter(None, map(self._holder, self._ports))))

    def hand_over(self) -> None:
        """Let the service bind the active port: called right before it is spawned.

        The lock stays, the reservation goes; a stranger can take the port until the service has bound it.
        """
        if self.active is not None:
            self._ports[self.active].hand_over()

    def hand_over_all(self) -> None:
        """Let somebody bind every port of the pool; the locks stay."""
        for port in self._ports.values():
            if port.is_leased:
                port.hand_over()

    def take_back(self) -> Holder | None:
        """Reserve the active port again once the service's processes are gone; who has it if that fails.

        None also where the system was short of something: the lock stays, and the next `choose` tries again.
        """
        if self.active is None:
            return None
        port = self._ports[self.active]
        if port.reservation is None:
            port.is_handed_over = True  # still ours to lose: the lock is held, and the next `choose` tries again
            try:
                got = reserve(port.number)
                if isinstance(got, Refused):
                    return self._who(port.number, got.errno)
            except OSError:
                return None
            port.reservation, port.is_handed_over = got, False
        return None

    def reservation(self) -> Reservation | None:
        """The reservation of the active port, for who makes a service socket beneath it."""
        return self._ports[self.active].reservation if self.active is not None else None

    def quarantine(self, port: int, why: Cause, until: float) -> None:
        """Skip `port` until then (monotonic seconds); it stays leased, and is active no more."""
        self._ports[port].quarantine = Quarantine(why, until)
        if self.active == port:
            self.active = None

    def reshape(self, ports: Sequence[int]) -> None:
        """Have another pool from now on, of which the active port must be one; what was not in it is leased.

        What cannot be leased now, whatever the reason, is tried again with the spares.
        """
        before = self._ports
        for number, port in before.items():
            if number not in ports:
                port.give_up()
        self._ports = {
            port: before.get(port) or LeasedPort(port, PortLock(port, runtime=self._runtime, owner=self.owner))
            for port in ports
        }
        with contextlib.suppress(PortsupError):
            self.retry_spares()

    def retry_spares(self) -> tuple[int, ...]:
        """Lease the spares that somebody else had; the ports that were got."""
        got = tuple(port for port in self.missing() if self.retry(port))
        self.record()
        return got

    def missing(self) -> tuple[int, ...]:
        """The ports that somebody else has."""
        return tuple(port.number for port in self._ports.values() if not port.is_leased)

    def retry(self, port: int) -> bool:
        """Lease one port, if it is still of the pool and can be had; whether it is leased now.  Raises PortsupError."""
        mine = self._ports.get(port)
        return mine is not None and self._lease(mine)

    def learn(self, port: int, holder: Holder) -> None:
        """It has been found out who has a port."""
        mine = self._ports.get(port)
        if mine is not None and not mine.is_leased:
            self._note(mine, holder)

    def record(self) -> None:
        """Write the records that are still missing; on a full disk they stay so: the locks count."""
        for port in self._ports.values():
            if not port.lock.has_record and port.is_leased:
                with contextlib.suppress(OSError):
                    port.lock.write_record()

    def ports(self, now: float) -> tuple[PortStatus, ...]:
        """How every port of the pool stands, in the order of the pool."""
        return tuple(port.status(now, is_active=port.number == self.active) for port in self._ports.values())

    def losses(self, *, in_full: bool = True) -> tuple[Loss, ...]:
        """Every lock we hold, looked at in full, or at no file: those that keep nobody out any more."""
        held = [port for port in self._ports.values() if port.lock.is_held]
        found = [(port.number, port.lock.loss(in_full=in_full)) for port in held]
        return tuple(Loss(port, why) for port, why in found if why)

    def losses_of(self, port: int) -> tuple[Loss, ...]:
        """The same for one port; empty if it is not of this pool or not leased."""
        mine = self._ports.get(port)
        why = mine.lock.loss() if mine is not None and mine.lock.is_held else None
        return (Loss(port, why),) if why else ()

    def heartbeat(self) -> None:
        """Keep the files of every lock we hold fresh, and put back a record that is missing."""
        for port in self._ports.values():
            if port.lock.is_held:
                port.lock.heartbeat()

    def orphans(self) -> tuple[str, ...]:
        """Run ids of dead owners met so far: reap what is left of them, then choose again.  Each is told once."""
        found = tuple(self._orphans)
        self._orphans.clear()
        return found

    def release(self) -> None:
        """Give every port back; the records are emptied, all files stay."""
        for port in self._ports.values():
            port.give_up()
            port.quarantine = None
            port.is_handed_over = False
        self.active = None

    def _lease(self, port: LeasedPort) -> bool:
        """Lock, reserve and record one port as far as that is not done; whether it is leased now."""
        if port.is_leased:
            return True
        try:
            if not port.lock.is_held and not self._lock(port):
                return False
            got = reserve(port.number)
            if isinstance(got, Refused):
                self._note_refusal(port, got)
                return False
            port.reservation, port.holder = got, None
        except OSError as error:
            port.give_up()
            raise self._error(port, error) from error
        if not self._records_later:
            self._record(port)
        return True

    def _record(self, port: LeasedPort) -> None:
        try:
            if not port.lock.has_record:
                port.lock.write_record()
        except OSError as error:
            if self._has_served:  # the lock counts, and the record is tried again with those of the spares
                return
            port.give_up()
            raise self._error(port, error) from error

    def _lock(self, port: LeasedPort) -> bool:
        if not self._take_lock(port):
            self._note(port, self._who(port.number, 0))
            return False
        return True

    def _take_lock(self, port: LeasedPort) -> bool:
        if not port.lock.try_lock(is_patient=self._is_patient):
            return False
        stale = port.lock.record()
        if stale and stale.run_id and stale.run_id != self.owner.run_id and is_over(self._runtime, stale.run_id):
            self._orphans[stale.run_id] = None
        return True

    def _note_refusal(self, port: LeasedPort, refused: Refused) -> None:
        """Give back the lock of a port that cannot be reserved; its old record stays: it may explain the holder."""
        self._note(port, self._who(port.number, refused.errno))
        port.give_up()

    def _note(self, port: LeasedPort, holder: Holder) -> None:
        port.holder = holder
        if holder.kind is ConflictKind.OWN_ORPHAN:
            self._orphans[holder.run_id] = None

    def _holder(self, port: int) -> Holder | None:
        return None if self._ports[port].is_leased else self._ports[port].holder

    def _error(self, port: LeasedPort, error: OSError) -> PortsupError:
        what = not_leased(port.number, self.owner.service)
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return PortsupError(what, *TOO_MANY_FILES)
        return error_in(what, self._runtime.port_lock(port.number), error)


def drop_joined(doubtful: Sequence[LeasedPort]) -> None:
    """Give back those ports, of any number of pools, where we have joined somebody; `choose` finds out who it is."""
    found = joined(port.reservation for port in doubtful if port.reservation is not None)
    for port in doubtful:
        if port.number in found:
            port.give_up()
