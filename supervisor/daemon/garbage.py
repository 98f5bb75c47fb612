"""When Python looks for garbage: not while a stack comes up, `up` switches that off before the daemon begins."""

import contextlib
import gc
from collections.abc import Iterator

OFTEN = (700, 10, 10)  # as Python does by default: each look is short

SELDOM = (20000, 10, 10)


def collected_seldom() -> None:
    """While everything stops little is made that has to be collected before the end of the process."""
    gc.freeze()
    gc.set_threshold(*SELDOM)


@contextlib.contextmanager
def collected_again() -> Iterator[None]:
    """Garbage is collected from the end of the block on; what there is by then stays, and is not looked at again."""
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*OFTEN)
        gc.enable()
