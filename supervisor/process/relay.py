"""What the daemon says to the service manager above, sd_notify(3), passed on by the process that this one started.

systemd hears only the process that it started, unless a unit says `NotifyAccess=all`: that is the guardian, and the
daemon is its child.  So the daemon says it to the guardian, over a pair of sockets that exists only where there is
somebody above.
"""

import contextlib
import os

LONGEST = 4096  # bytes of one message


def is_wanted() -> bool:
    """Whether a service manager asks to be told how we are."""
    return os.environ.get("NOTIFY_SOCKET", "")[:1] in ("/", "@")


def watchdog_every() -> float:
    """After how many seconds of silence a third of the service manager's patience is over; infinite if it has no end.

    WATCHDOG_PID, if set, has to be us: it is another process otherwise that the variables were meant for.
    """
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return float("inf")
    try:
        patience = int(os.environ.get("WATCHDOG_USEC", "")) / 1e6
    except ValueError:
        return float("inf")
    return patience / 3 if patience > 0 else float("inf")


class Relay:
    """The guardian's side; made before the fork, and its `theirs` is the daemon's."""

    def __init__(self) -> None:
        import socket  # late: it would stay in every guardian

        address = os.environ["NOTIFY_SOCKET"]
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.setblocking(False)
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self.theirs.setblocking(False)
        self.watchdog_every = watchdog_every()
        self.source = self._ours.fileno()

    def forward(self) -> bool:
        """Passes on what the daemon said by now; False once it says no more.

        A manager that does not listen, or not fast enough, is not waited for: sd_notify(3) promises nothing either.
        """
        while True:
            try:
                said = self._ours.recv(LONGEST)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not said:
                return False
            with contextlib.suppress(OSError):
                self._manager.sendto(said, self._address)
