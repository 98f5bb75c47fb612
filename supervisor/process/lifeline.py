"""Tells the daemon of the end of its guardian where no signal does: a pipe whose other end only the guardian has."""

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOK_AGAIN = 0.005  # seconds from the end of the pipe until the guardian is gone

_source: list[int] = []


def make() -> tuple[int, int]:
    """Both ends: the guardian's, and that of the daemon."""
    theirs, ours = os.pipe()
    return ours, theirs


def hold(source: int) -> None:
    """In the daemon: this is its end."""
    _source[:] = [source]


def follow(loop: "Any", guardian: int) -> None:
    """Has SIGTERM come once `guardian` is not our parent any more, as Linux does by itself."""

    def look() -> None:
        if os.getppid() == guardian:  # it closes its files first
            loop.call_later(LOOK_AGAIN, look)
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    def told(source: int) -> None:
        loop.remove_reader(source)
        look()

    for source in _source:
        loop.add_reader(source, told, source)
