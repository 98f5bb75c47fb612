"""How a server ends by a signal: not before it has let go of what it holds."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def unwound() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP raise SystemExit with 128 and their number, so that `with` and `finally` are run.

    uvicorn sends itself the signal that has ended it once more, whose default would end the process at once.
    """

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    with _handled(_ENDING, end):
        yield


@contextmanager
def cut_short(last: Callable[[], None]) -> Iterator[None]:
    """Within, SIGINT, SIGTERM and SIGHUP call `last`, and end the process at once with 128 and their number.

    For a server with a thread that waits for stdin: nothing wakes it, and an interpreter that ends waits for it.
    """

    def end(number: int, _: object) -> None:
        try:
            last()
        finally:
            os._exit(128 + number)

    with _handled([signal.SIGINT, *_ENDING], end):
        yield


@contextmanager
def _handled(numbers: list[int], handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Those of the signals that are not ignored, as under nohup, go there."""
    before = {number: signal.getsignal(number) for number in numbers}
    for number, other in before.items():
        if other != signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, other in before.items():
            signal.signal(number, other)
