"""Words for the person at the terminal, on stderr."""

import sys
from contextlib import suppress

from supervisor.core.escapes import tamed


def say(text: str) -> None:
    """Print these lines there; where nobody can read them, as on a full disk or a closed pipe, nothing happens.

    They may quote what a program said, so only colours pass.
    """
    with suppress(OSError):
        print(tamed(text, keeps_colours=True), file=sys.stderr, flush=True)
