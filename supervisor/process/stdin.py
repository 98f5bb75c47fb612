"""A standard input that never ends and never says anything, for programs that end when theirs does."""

import os


class StdinPipe:
    """A pipe that nobody writes to; its other end is ours, and closed with us."""

    def __init__(self) -> None:
        self._ours, self._theirs = -1, -1
        self._theirs, self._ours = os.pipe()

    def fileno(self) -> int:
        """What a program gets as its descriptor 0."""
        return self._theirs

    def close(self) -> None:
        """Whoever still reads is at the end."""
        for descriptor in (self._ours, self._theirs):
            if descriptor >= 0:
                os.close(descriptor)
        self._ours, self._theirs = -1, -1
