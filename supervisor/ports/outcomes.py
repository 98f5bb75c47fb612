"""What comes of asking for ports, and how they stand."""

from supervisor.core.port_state import PortState
from supervisor.core.reasons import Cause, LockGone
from supervisor.dataclass import dataclass
from supervisor.ports.holders import ConflictKind, Holder


@dataclass(frozen=True, slots=True)
class ChosenPort:
    """The port a service got; `skipped` are the ones before it, each with what is in the way."""

    port: int
    skipped: tuple[tuple[int, Holder | Cause], ...] = ()


def why_of(obstacle: Holder | Cause) -> Cause:
    """The reason in one of `ChosenPort.skipped`."""
    return obstacle.why if isinstance(obstacle, Holder) else obstacle


@dataclass(frozen=True, slots=True)
class NoPort:
    """No port of the pool can be used: why, port by port, and who has those that somebody has."""

    reasons: tuple[tuple[int, Cause], ...]
    holders: tuple[Holder, ...] = ()


def holders_in(outcome: ChosenPort | NoPort) -> tuple[Holder, ...]:
    """Who has the ports that could not be had."""
    if isinstance(outcome, NoPort):
        return outcome.holders
    return tuple(why for _, why in outcome.skipped if isinstance(why, Holder))


def may_pass(holder: Holder) -> bool:
    """Whether the port may be free in a moment: nobody has it any more, or who has it exits."""
    return holder.kind is ConflictKind.OWNERLESS


@dataclass(frozen=True, slots=True)
class PortStatus:
    """How one port of a pool stands; `holder` says who has it, empty if we have it."""

    port: int
    state: PortState
    holder: Cause = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """A lock that no longer keeps others out; `port` is 0 for the lock of the instance number."""

    port: int
    why: LockGone
