"""What outlives the stack that started it, because other stacks of the user need it too: the proxy of `names`."""

import os

from supervisor import system

MARK = "PORTSUP_NAMES"  # in the environment of its processes; the value is its port


def is_shared(pid: int) -> bool:
    """Whether a child that was left to us is one of those; what runs in the proxy's own stack ends with that.

    A service that runs as another user cannot pass for one.
    """
    if MARK in os.environ or MARK not in system.environ_of(pid):
        return False
    return system.process_user(pid) == system.process_user(os.getpid())
