"""Tells the daemon of the end of its guardian where no signal does: a pipe whose other end only the guardian has."""

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOK_AGAIN = 0.005  # seconds from the end of the pipe until the guardian is gone

_held: list[tuple[int, int]] = []  # our end, and the pid of the guardian


def make() -> tuple[int, int]:
    """Both ends: the guardian's, and that of the daemon."""
    theirs, ours = os.pipe()
    return ours, theirs


def hold(source: int, guardian: int) -> None:
    """In the daemon: this is its end, and that its guardian, which may be gone already."""
    _held[:] = [(source, guardian)]


def guardian() -> int:
    """The pid of the process that started the daemon, also when that is not its parent any more."""
    return _held[0][1] if _held else os.getppid()


def follow(loop: "Any") -> None:
    """Has SIGTERM come once the guardian is not our parent any more, as Linux does by itself."""

    def look(guardian: int) -> None:
        if os.getppid() == guardian:  # it closes its files first
            loop.call_later(LOOK_AGAIN, look, guardian)
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    def told(source: int, guardian: int) -> None:
        loop.remove_reader(source)
        look(guardian)

    for source, guardian in _held:
        loop.add_reader(source, told, source, guardian)
