"""What came of a trial, and when the end of a command is as it must be."""

import errno
from dataclasses import dataclass, field

from supervisor.errors import ExitCode
from tests.faults.points import ERRORS, Point

BROKEN_PIPE = 141
DOCUMENTED = frozenset(ExitCode) - {ExitCode.BUG}


@dataclass
class Outcome:
    """What came of a trial: whether the call was made at all, and all that was wrong."""

    reached: bool
    wrong: list[str] = field(default_factory=list)
    code: int | None = None
    where: str = ""  # in the Python program the call failed
    seconds: float = 0.0


class Wrong(Exception):
    """Something is not as it must be."""


def checked(words: str, code: int, said: str, point: Point) -> int:
    """The exit code of a command, which is documented and comes with words."""
    if code not in DOCUMENTED and not (point.error == errno.EPIPE and code == BROKEN_PIPE):
        raise Wrong(f"`{words}` ended with {code}: {said}")
    # To the file that stderr is; or nobody reads any more, and what has done its work ends like `cat`.
    may_be_silent = (point.lasts and point.error in ERRORS["write"]) or code == BROKEN_PIPE
    if code and code != ExitCode.NOT_RUNNING and not said.strip() and not may_be_silent:
        raise Wrong(f"`{words}` ended with {code}, and said nothing")
    return code


def could_not_remove(point: Point) -> bool:
    """Whether files may be left, until the next run."""
    return point.call == "unlink" or "unlink" in point.affected
