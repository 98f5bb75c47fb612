"""When Python looks for garbage: not while a stack comes up, `up` switches that off before the daemon begins."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collected_again() -> Iterator[None]:
    """Garbage is collected from the end of the block on; what there is by then stays, and is not looked at again."""
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
