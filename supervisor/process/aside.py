"""Something that is worked out in a child while this process does other things: on a second processor, in memory that
is given back.

For the time before there is a loop; `daemon.processes.inquiries` does the same for a running daemon.
Of `pickle` only the part in C is imported: the other one, a thousand lines, does nothing here.
"""

import contextlib
import os
import signal
from collections.abc import Callable

from supervisor import system
from supervisor.errors import PortsupError

TYPE_CHECKING = False  # `typing`, `pickle` and `socket` would stay in the guardian, which never uses them
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Aside:
    """Works out `question` in a child, which dies with us; made while this process has one thread."""

    def __init__(self, question: "Callable[[], Any]") -> None:
        self._question = question
        self._pid, self._source = 0, -1
        if system.HAS_JOBS:  # there is no fork
            return
        system.prepare_spawning()
        with contextlib.suppress(OSError):  # no process or descriptor left: then it is worked out here
            self._begin()

    def answer(self) -> "Any":
        """What it comes to; raises the PortsupError that `question` raises.

        What nobody foresaw happens once more here, where it is reported like every mistake of ours.
        """
        if not self._pid:
            return self._question()
        import _pickle as pickle

        found = None
        with open(self._source, "rb") as source, contextlib.suppress(EOFError, pickle.UnpicklingError):
            found = pickle.load(source)  # else it was killed, or made a mistake
        if found is None:
            return self._question()
        value, error = found
        if error is not None:
            self.wait()
            raise error
        return value

    def wait(self) -> None:
        """Waits until the child is gone; its memory is given back a millisecond after it has answered."""
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _begin(self) -> None:
        import _pickle  # noqa: F401  # before there are two who would do so

        source, sink = os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            os.close(source)
            os.close(sink)
            raise
        if pid == 0:
            self._be_a_child(sink, parent)
        os.close(sink)
        self._pid, self._source = pid, source

    def _be_a_child(self, sink: int, parent: int) -> "NoReturn":
        import _pickle as pickle

        try:
            system.set_parent_death_signal(signal.SIGKILL)
            if os.getppid() != parent:  # it died before the kernel knew
                os._exit(1)
            value, error = None, None
            try:
                value = self._question()
            except PortsupError as raised:
                error = raised
            told = pickle.dumps((value, error), -1)  # the highest protocol
            while told:
                told = told[os.write(sink, told) :]
        finally:  # nothing of the parent's may run here, not even the report of a mistake
            os._exit(0)
        raise AssertionError("_exit came back")
