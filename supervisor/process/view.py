"""Whether processes can be supervised in this place: what cannot be done without is asked for once, at first."""

import errno
import os
import stat

from supervisor import system
from supervisor.errors import PortsupError

REMEDY = "mount one for this PID namespace: `mount -t proc proc /proc`, or `unshare --mount-proc`"
FEWEST_DESCRIPTORS = 32  # what a daemon with one service takes


def require_view(what: str) -> None:
    """Raises PortsupError, which begins with `what`, where the system shows us other processes than ours.

    A signal could reach the wrong one.
    """
    if why := system.process_trouble():
        raise PortsupError(what, why, REMEDY)


def require_place(what: str) -> None:
    """The same, and where /dev/null is missing, no device or closed to us, or hardly a file may be open."""
    require_view(what)
    require_null(what)
    if (limit := system.descriptor_limit()) < FEWEST_DESCRIPTORS:
        why = f"a process may have only {limit} files open here"
        raise PortsupError(what, why, "raise the limit, as in `ulimit -n 8192`")


def require_null(what: str) -> None:
    """Raises PortsupError, which begins with `what`, where /dev/null is not what it should be."""
    hint = "mount a /dev, or make it: `mknod -m 666 /dev/null c 1 3`"
    try:
        found = os.stat(os.devnull)
    except OSError as error:
        raise PortsupError(what, f"there is no {os.devnull} here ({error.strerror})", hint) from None
    if hasattr(os, "geteuid") and not stat.S_ISCHR(found.st_mode):
        why = f"{os.devnull} is no device here: what goes there would be kept, and read back"
        raise PortsupError(what, why, f"remove it; {hint}")
    try:
        os.close(os.open(os.devnull, os.O_RDWR))
    except OSError as error:
        if isinstance(error, PermissionError):
            why = f"we may not read and write {os.devnull} (mode {stat.S_IMODE(found.st_mode):04o})"
        elif error.errno in (errno.ENXIO, errno.ENODEV):
            raise PortsupError(what, f"{os.devnull} is another device here ({error.strerror})", hint) from None
        else:  # no descriptor is left, for instance
            raise
        hint = "as root: `chmod 666 /dev/null`; if that changes nothing, its file system is mounted `nodev`"
        raise PortsupError(what, why, hint) from None
