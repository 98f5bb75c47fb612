"""`portsup up` where there is no fork: what runs in the background is a new process with the same command line."""

import os
import sys
import threading

from supervisor import system
from supervisor.cli.complaint import complain
from supervisor.errors import ExitCode
from supervisor.words import answers

_VARIABLE = "PORTSUP_IN_BACKGROUND"
_SIZE = 1 << 16
_SHOWN_WITHIN = 2.0  # seconds; a service that was started meanwhile may have the pipe


def is_in_background() -> bool:
    """Whether we are that process; asked once, and nothing that we start hears of it."""
    return os.environ.pop(_VARIABLE, "") != ""


def background() -> int:
    """Starts it, shows what it says, and waits until the stack is up, or has failed; the exit code.

    Raises OSError where it cannot be started.
    """
    process = system.start_in_background([sys.executable, "-m", "supervisor", *sys.argv[1:]], {_VARIABLE: "1"})
    assert process.stdout is not None
    assert process.stderr is not None
    told, said = process.stdout, process.stderr

    def show() -> None:
        while data := os.read(said.fileno(), _SIZE):
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()

    showing = threading.Thread(target=show, daemon=True)
    showing.start()
    answer = told.readline()  # the exit code, once it is up
    showing.join(_SHOWN_WITHIN)
    if answer.strip().isdigit():
        return int(answer)
    code = int(process.wait())
    if code:
        return code
    complain(answers.daemon_died(process.pid, code))
    return int(ExitCode.FAILURE)
