"""The errors that end an instance or a single program, in words for the person who has to act on them."""

from collections.abc import Iterable, Sequence

from supervisor.core.reasons import Cause
from supervisor.core.state import State
from supervisor.errors import LockLost, PoolExhausted, WaitTimedOut
from supervisor.words.reasons import text_of, texts_of

Reasons = Iterable[tuple[int, Cause]]


def no_port(name: str, pool: Sequence[int], reasons: Reasons, hint: str) -> PoolExhausted:
    """No port of a service's pool can be used."""
    why = "no port of its pool can be used" + (f" ({', '.join(map(str, pool))})" if pool else "")
    error = PoolExhausted(f"cannot start `{name}`", texts_of(reasons), why, hint)
    error.service = name
    return error


def make_way(name: str, file: str) -> str:
    """What to do where others have the ports."""
    return f"stop what is in the way, or give `{name}` another `pool` in {file}"


def came_up_nowhere(name: str, why_unseen: str) -> str:
    """What to do where nobody else has them; `why_unseen` if portsup may not look into a process of it."""
    if why_unseen:
        return f"set `handoff: off` for `{name}`: portsup may not look into its process ({why_unseen})"
    return f"it came up on none of its ports: `portsup logs {name}` has all of its output"


def too_late(late: Iterable[tuple[str, State]], seconds: float) -> WaitTimedOut:
    """These services were not where they should be after so many seconds."""
    told = ", ".join(f"`{name}` is {state}" for name, state in late)
    what = f"cannot get the stack ready within {seconds:g} s"
    return WaitTimedOut(what, told, "`portsup logs` has what the services printed")


def lock_lost(port: int, why: Cause, owner: str, instance: int, runtime: str) -> LockLost:
    """A lock keeps others out no longer: that of a port of `owner`, or of the instance's number."""
    whose = f"port {port} of `{owner}`" if owner else f"instance {instance}"
    hint = f"find out what touched {runtime}, then `portsup up` again"
    return LockLost(f"cannot go on: the lock of {whose} is lost", text_of(why), hint)


def lock_of_program_lost(port: int, why: Cause, program: str, runtime: str) -> LockLost:
    """The same for a program of `portsup exec`."""
    what = f"cannot go on: the lock of port {port} of `{program}` is lost"
    return LockLost(what, text_of(why), f"find out what touched {runtime}")


def not_all_ports(pool: Sequence[int], reasons: Reasons) -> PoolExhausted:
    """All of these ports are wanted, and one is taken."""
    hint = "stop what is in the way, or take other ports"
    return PoolExhausted("cannot lease all of these ports", texts_of(reasons), ", ".join(map(str, pool)), hint)


OTHER_POOL = "stop what is in the way, or give another `--pool`"
NOTHING_LEFT = "\nnothing is left to supervise"
KILLING = "killing what is left"
DOWN = "stopping (`portsup down`)"


def stopping(signal: str, is_by_hand: bool, is_read: bool) -> str:
    """Why the instance stops, and how to hurry it."""
    if not (is_read or is_by_hand):
        return "\nstopping: nobody reads the output any more"
    return f"\nstopping ({signal})" + ("; press Ctrl-C again to kill" if is_by_hand else "")
