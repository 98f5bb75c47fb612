"""Work in a thread that is waited for, but never in vain.

`Thread.start` of `threading` waits until the thread has begun, which one never has that finds no memory to do so.
"""

import _thread
import contextlib
from collections.abc import Callable

BEGINS_WITHIN = 1.0  # seconds, however busy the machine is


def done_in_thread(work: Callable[[], object]) -> bool:
    """Does it in a thread, and waits for the end; False where no thread is to be had, and then it is not done."""
    begun, done = _thread.allocate_lock(), _thread.allocate_lock()
    begun.acquire()
    done.acquire()
    turn: dict[str, str] = {}  # of whoever is there first

    def run() -> None:
        try:
            if turn.setdefault("", "thread") == "thread":
                begun.release()
                work()
        finally:
            done.release()

    with contextlib.suppress(RuntimeError, MemoryError):  # pthread_create(3)
        _thread.start_new_thread(run, ())
        if begun.acquire(timeout=BEGINS_WITHIN) or turn.setdefault("", "nobody") == "thread":
            done.acquire()
            return True
    return False
