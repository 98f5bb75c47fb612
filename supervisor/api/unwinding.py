"""How a server ends by a signal: not before it has let go of what it holds."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def unwound() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP raise SystemExit with 128 and their number, so that `with` and `finally` are run.

    uvicorn sends itself the signal that has ended it once more, whose default would end the process at once.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)
