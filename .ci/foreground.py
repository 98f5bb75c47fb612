"""Runs `portsup` for the Makefile, in a process group of its own that has the terminal.

Ctrl-C goes to the whole foreground group. If make were in it, make would die of the signal and return 130 although
the stack was stopped in good order; so portsup alone is in it, and gives the terminal back at the end.
"""

import os
import signal
import subprocess
import sys


def give_terminal_to(group: int, terminal: int) -> None:
    """Makes `group` the foreground group; SIGTTOU is what a background group gets for trying that."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(terminal, group)
    signal.signal(signal.SIGTTOU, before)


def main() -> int:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        callers = os.tcgetpgrp(terminal)
    except OSError:  # no terminal, as in CI
        callers = -1
    if callers != os.getpgrp():  # make runs in the background: Ctrl-C does not come here anyway
        return run()
    os.setpgid(0, 0)
    give_terminal_to(os.getpgrp(), terminal)
    # Make cannot be told that we stopped: Ctrl-Z would leave the terminal to nobody.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        return run()
    finally:
        give_terminal_to(callers, terminal)


def run() -> int:
    from supervisor.cli.main import main as portsup

    is_up = sys.argv[1:2] == ["up"]
    is_detached = is_up and any(word in ("-d", "--detach") for word in sys.argv[2:])
    offered = offer_page() if is_up and not is_detached and "--dry-run" not in sys.argv else -1
    code = portsup()
    if offered >= 0:
        os.close(offered)
    if is_detached and code == 0:
        print("`.venv/bin/portsup web` shows it in a browser")
    return code


def offer_page() -> int:
    """Starts the page, which prints its link once the stack is ready; it ends when what this gives is closed.

    It is no child of ours by then: what portsup finds among its descendants belongs to services.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()  # Ctrl-C stops the stack, and the page ends with that
        subprocess.Popen([sys.executable, "-m", "supervisor", "web", "--with-stack"], stdin=reading)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(reading)
    return writing


if __name__ == "__main__":
    sys.exit(main())
