"""Waiting for something to become true, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T | None], *, within: float = 10.0, every: float = 0.02, what: str = "") -> T:
    """The first truthy value that `check` gives within so many seconds; an AssertionError counts as not yet,
    and so does a file that is not there.
    """
    deadline = time.monotonic() + within
    last: object = None
    while True:
        try:
            value = check()
            if value:
                return value
            last = value
        except (AssertionError, FileNotFoundError) as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what or 'it'} did not happen within {within:g} s (last: {last!r})")
        time.sleep(every)
