"""A process that lives no longer than the one that started it: both ends.

Only what every Python has is imported here, because the memory and the time of an engine are its own.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


class Child:
    """`python -m MODULE WANTED`, which lives no longer than this process, as `live_like_the_parent` sees to there."""

    def __init__(self, module: str, wanted: Mapping[str, Any], pass_fds: Sequence[int] = (), *, says: bool) -> None:
        """`says` is whether its standard output is for `first_line`; else it goes where ours goes."""
        # Its standard input is what it lives by: nobody else may keep the other end open. A session of its own keeps
        # Ctrl-C away from it, while this process has answers to pass on, and holds what it starts together.
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(wanted)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if says else None,
            cwd=Path(__file__).resolve().parents[1],
            pass_fds=pass_fds,
            start_new_session=True,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def first_line(self) -> str:
        """The first that it prints, empty when it ended without a word; blocks until then."""
        assert self._process.stdout is not None
        with self._process.stdout as output:
            return output.readline().strip()

    @property
    def ended(self) -> int | None:
        """The exit code of one that has ended, the number of a signal below 0; None while it runs."""
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.poll()
        # `close` collects it: until then its number, which is that of its group, belongs to nobody else.
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def wait(self) -> int:
        """Its exit code as of `ended`, once it has ended."""
        return self._process.wait()

    def close(self) -> None:
        """Ends it and everything that it has started, at once; it has ended when this returns."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def live_like_the_parent() -> None:
    """For the process that a `Child` is: ends it, with what it has started, when its parent has ended.

    Signals that ask for a stop are left to the parent.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)

    def wait() -> None:
        while os.read(0, 4096):
            pass
        if os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
