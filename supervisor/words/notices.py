"""What somebody is told who does not look, in words."""

from collections.abc import Sequence

from supervisor.core.notices import OFTEN, PERIOD, Entry, Occasion
from supervisor.words.events import sentence

NO_DESKTOP = "there is no desktop here"
NO_PROGRAM = "there is no program `notify-send` (Debian: libnotify-bin)"
NOT_TAKEN = "it did not take the message, or cannot be reached"
TOO_LONG = "there are too many addresses"
ALL, SOMEBODY = "all addresses", "one of the addresses"
UNKNOWN = "no service of apprise has such an address"


def title(stack: str, entries: Sequence[Entry], left_out: int) -> str:
    """The first line."""
    count = len(entries) + left_out
    if count > 1:
        return f"{stack}: {count} things happened"
    (entry,) = entries
    return f"{stack}: {entry.event.get('service') or 'the stack'} {_word(entry.occasion)}"


def lines(entries: Sequence[Entry], left_out: int) -> str:
    """The rest: a line for each."""
    told = [f"{entry.event.get('service') or 'the stack'} {_sentence(entry)}" for entry in entries]
    return "\n".join([*told, *([f"and {left_out} more: see `portsup events`"] if left_out else [])])


def _word(occasion: Occasion) -> str:
    match occasion:
        case Occasion.FLAPPING:
            return "restarts again and again"
        case Occasion.UNHEALTHY | Occasion.READY:
            return f"is {occasion}"
    return "has failed"


def _sentence(entry: Entry) -> str:
    if entry.occasion is Occasion.FLAPPING:
        return f"restarted {OFTEN} times within {PERIOD / 60:g} minutes: {entry.event.get('why')}"
    return sentence(entry.event)


def no_answer(within: float) -> str:
    """That a target took too long."""
    return f"it did not answer within {within:g} s"
