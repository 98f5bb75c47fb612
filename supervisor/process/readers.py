"""Whether somebody still reads what a stack in the foreground says: the guardian sees it, the daemon wants to know.

A byte of memory that both share, made before the fork: it must be there before the signal that stops the daemon is.
"""

import mmap


class Readers:
    """Those at the other end of our standard output and error."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 1)

    def leave(self) -> None:
        """Nobody reads any more."""
        self._page[0] = 1

    @property
    def have_left(self) -> bool:
        """Whether that is so."""
        return self._page[0] == 1
