"""Where logs and reports are kept: a directory that outlives the run, and the reboot."""

import contextlib
import os

from supervisor import system
from supervisor.files.directory import check
from supervisor.words import directories as words


def state_directory() -> str:
    """$PORTSUP_STATE_DIR, or what is usual for root and for others."""
    given = os.environ.get(words.STATE)
    if given:
        return os.path.abspath(given)
    return system.usual_state_directory()


def instance_directory(stack: str, instance: int) -> str:
    """Where one instance of a stack keeps portsup.log and the log of each service."""
    return os.path.join(state_directory(), f"{stack}-{instance}")


def check_state(path: str = "") -> str:
    """The state directory, or `path` in it; raises PortsupError where somebody else could put things there.

    One that is missing, or cannot be made, is no danger: then no logs are kept.
    """
    path = path or state_directory()
    if os.path.islink(path) or not os.path.isfile(path):
        with contextlib.suppress(OSError):
            check(path, words.state_unusable(path), is_closed=False, elsewhere=words.STATE_ELSEWHERE)
    return path
