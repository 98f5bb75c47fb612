"""Children on the systems that have fork, signals and SIGCHLD."""

import os
import sys
from collections.abc import Callable

TYPE_CHECKING = False  # what costs the quick commands milliseconds
if TYPE_CHECKING:
    from typing import Any

# By number: to import `signal` makes enums of them all, which takes the quick commands a while.
SIGKILL = 9
SIGCONT = 18 if sys.platform == "linux" else 19
SIGCHLD = 17 if sys.platform == "linux" else 20


def send_signal(pid: int, number: int) -> None:
    """A signal to one process; raises ProcessLookupError where it is gone, PermissionError where it is not ours."""
    os.kill(pid, number)


def follow_children(loop: "Any", tell: Callable[[], object]) -> None:
    """Has `tell` called in the loop whenever a child has ended."""
    loop.add_signal_handler(SIGCHLD, tell)


def unfollow_children(loop: "Any") -> None:
    """Tells nobody any more."""
    loop.remove_signal_handler(SIGCHLD)


def collect_child() -> tuple[int, int] | None:
    """A child that has ended, and its wait status; None where nobody has.

    Raises ChildProcessError where there are no children.
    """
    pid, status = os.waitpid(-1, os.WNOHANG)
    return (pid, status) if pid else None


def exit_code_of(status: int) -> int:
    """The exit code that a status of `collect_child` tells of; less than 0 for a signal."""
    return os.waitstatus_to_exitcode(status)
