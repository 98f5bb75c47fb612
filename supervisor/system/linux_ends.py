"""Linux: the end of a process that may be no child of ours, by pidfd_open(2)."""

import contextlib
import os


def open_end_of(pid: int) -> int | None:
    """A descriptor that becomes readable when this process ends, pidfd_open(2); it holds on to who has the pid now."""
    with contextlib.suppress(OSError):
        return os.pidfd_open(pid)
    return None


def kill_exactly(pid: int, end: int | None) -> None:
    """SIGKILL to the process of `open_end_of`; raises ProcessLookupError and PermissionError."""
    import signal

    if end is None:
        os.kill(pid, signal.SIGKILL)
    else:
        signal.pidfd_send_signal(end, signal.SIGKILL)
