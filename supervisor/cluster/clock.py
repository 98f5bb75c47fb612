"""A clock that nobody sets, and that goes on while the machine sleeps, where the system has one."""

import time

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)  # Linux


def now() -> float:
    """Seconds since some moment of this machine."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)
