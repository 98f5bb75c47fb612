"""What the system refused to whoever asks a stack, in words: no descriptor is left, or a disk fails."""

from supervisor.errors import PortsupError, refusal
from supervisor.files.opening import explained
from supervisor.words.answers import CANNOT_ANSWER


def in_words(error: OSError, what: str = CANNOT_ANSWER) -> PortsupError:
    """Why not, and what to do about it; another time it may go."""
    return refusal(error, what) or PortsupError(what, explained(error))
