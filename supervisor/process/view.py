"""Whether processes can be supervised in this place: what cannot be done without is asked for once, at first."""

import errno
import os
import stat

from supervisor import system
from supervisor.errors import PortsupError
from supervisor.words import surroundings as words

FEWEST_DESCRIPTORS = 32  # what a daemon with one service takes


def require_view(what: str) -> None:
    """Raises PortsupError, which begins with `what`, where the system shows us other processes than ours.

    A signal could reach the wrong one.
    """
    if why := system.process_trouble():
        raise PortsupError(what, why, words.MOUNT_PROC)


def require_place(what: str) -> None:
    """The same, and where /dev/null is missing, no device or closed to us, or hardly a file may be open."""
    require_view(what)
    require_null(what)
    if (limit := system.descriptor_limit()) < FEWEST_DESCRIPTORS:
        raise words.few_descriptors(what, limit)


def require_null(what: str) -> None:
    """Raises PortsupError, which begins with `what`, where /dev/null is not what it should be."""
    try:
        found = os.stat(os.devnull)
    except OSError as error:
        raise words.no_null(what, error.strerror) from None
    if hasattr(os, "geteuid") and not stat.S_ISCHR(found.st_mode):
        raise words.null_is_a_file(what)
    try:
        os.close(os.open(os.devnull, os.O_RDWR))
    except PermissionError:
        raise words.null_is_closed(what, stat.S_IMODE(found.st_mode)) from None
    except OSError as error:
        if error.errno not in (errno.ENXIO, errno.ENODEV):  # no descriptor is left, for instance
            raise
        raise words.null_is_another(what, error.strerror) from None
