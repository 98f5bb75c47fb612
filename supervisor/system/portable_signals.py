"""A queue of signals as Python makes one on every system."""

import os
import signal
from collections.abc import Collection

from supervisor.system.contract import SignalQueue


def open_signals(numbers: Collection[int]) -> SignalQueue:
    """A queue of these signals, which do nothing else from now on."""
    return _WakeUps(numbers)


class _WakeUps(SignalQueue):
    """By the descriptor that Python writes each signal to.

    The system does not tell where one came from; at a terminal the likeliest cause of SIGINT is Ctrl-C.
    """

    def __init__(self, numbers: Collection[int]) -> None:
        self._ours, self._theirs = os.pipe()
        os.set_blocking(self._ours, False)
        os.set_blocking(self._theirs, False)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._theirs, warn_on_full_buffer=False)
        if hasattr(signal, "pthread_sigmask"):  # one that is blocked would never come
            signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

    def fileno(self) -> int:
        return self._ours

    def read(self) -> list[tuple[int, bool]]:
        try:
            numbers = os.read(self._ours, 4096)
        except BlockingIOError:
            return []
        of_terminal = {signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)} if os.isatty(0) else set()
        return [(number, number in of_terminal) for number in numbers]

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self._ours)
        os.close(self._theirs)
