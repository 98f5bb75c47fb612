"""Regular expressions that end in time, whatever they are and whatever they are to match.

Python's `re` may take for ever on a short line: `(a+)+$` doubles its time with each letter of `aaaa…!`.  While it
searches, it looks every 4096 steps whether a signal has come (MAYBE_CHECK_SIGNALS in Modules/_sre), so a timer that
counts the processor time of this process can end it.
"""

import re
import signal
import threading
from collections.abc import Callable

from supervisor.annotations import Any

LIMIT = 0.02  # seconds of processor time
LONGEST = 4096  # characters at the beginning and at the end of a line that are looked at: in more, 4096 steps take long
_ENDS = re.compile(r"\$|\\Z")  # what stands for the end of a line in a pattern


class TooSlow(Exception):
    """A search took longer than it may."""


def within_limit(search: Callable[[], bool], seconds: float = LIMIT) -> bool:
    """What `search` gives; raises TooSlow once it has used so many seconds of processor time.

    Without a limit where there is no such timer (Windows), or outside the main thread.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return search()
    is_searching = True

    def ring(*_: Any) -> None:
        if is_searching and signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0.0:  # not one that somebody else sent
            raise TooSlow

    before = signal.signal(signal.SIGVTALRM, signal.SIG_IGN)  # drops one that came while it was blocked
    signal.signal(signal.SIGVTALRM, ring)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGVTALRM,))  # blocked, as all that means nothing to us
    try:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
            return search()
        finally:
            is_searching = False
    finally:
        is_searching = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGVTALRM, signal.SIG_IGN if before is None else before)


def found(pattern: re.Pattern[str], text: str, start: int = 0) -> bool:
    """Whether `pattern` is somewhere in `text` from `start` on; of a long one the middle is not looked at."""
    if len(text) - start <= LONGEST:
        return pattern.search(text, start) is not None
    end = start + LONGEST
    for match in pattern.finditer(text, start, end):
        if match.end() < end or not _ENDS.search(pattern.pattern):  # the end of what is looked at is none of the line
            return True
    return pattern.search(text, len(text) - LONGEST) is not None
