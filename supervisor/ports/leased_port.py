"""What one service has of one port of its pool."""

from supervisor.core.port_state import PortState, Quarantine, state_of
from supervisor.dataclass import dataclass
from supervisor.ports.holders import Holder
from supervisor.ports.outcomes import PortStatus
from supervisor.ports.port_lock import PortLock
from supervisor.ports.reservation import Reservation


@dataclass(slots=True)
class LeasedPort:
    """What we have of one port.  Lock and record stay while the reservation is handed over to the service."""

    number: int
    lock: PortLock
    reservation: Reservation | None = None
    is_handed_over: bool = False
    holder: Holder | None = None  # who kept us from leasing it, the last time we tried
    quarantine: Quarantine | None = None

    @property
    def is_leased(self) -> bool:
        """Whether it is locked, and held or handed over."""
        return self.lock.is_held and (self.reservation is not None or self.is_handed_over)

    def hand_over(self) -> None:
        """Let somebody bind it; the lock stays."""
        self.is_handed_over = True
        self._let_go()

    def give_up(self) -> None:
        """Let it go, with its lock; the record is emptied."""
        self._let_go()
        self.lock.release()

    def status(self, now: float, *, is_active: bool) -> PortStatus:
        """How it stands; `now` is in monotonic seconds."""
        state = state_of(is_active=is_active, is_leased=self.is_leased, quarantine=self.quarantine, now=now)
        if state is PortState.QUARANTINED and self.quarantine is not None:
            return PortStatus(self.number, state, self.quarantine.why)
        return PortStatus(self.number, state, self.holder.why if self.holder and state is PortState.TAKEN else "")

    def _let_go(self) -> None:
        if self.reservation is not None:
            self.reservation.close()
            self.reservation = None
