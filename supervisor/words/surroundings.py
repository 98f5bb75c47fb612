"""What is missing where portsup is started, in words: /proc, /dev/null, descriptors."""

import os

from supervisor.errors import PortsupError

MOUNT_PROC = "mount one for this PID namespace: `mount -t proc proc /proc`, or `unshare --mount-proc`"
MOUNT_DEV = "mount a /dev"
_MAKE_NULL = f"{MOUNT_DEV}, or make it: `mknod -m 666 {os.devnull} c 1 3`"
CANNOT_OPEN_NULL = f"cannot open `{os.devnull}`"


def few_descriptors(what: str, limit: int) -> PortsupError:
    """Hardly a file may be open here."""
    return PortsupError(
        what, f"a process may have only {limit} files open here", "raise the limit, as in `ulimit -n 8192`"
    )


def no_null(what: str, why: str | None) -> PortsupError:
    """There is no /dev/null."""
    return PortsupError(what, f"there is no {os.devnull} here ({why})", _MAKE_NULL)


def null_is_a_file(what: str) -> PortsupError:
    """A file is in its place."""
    why = f"{os.devnull} is no device here: what goes there would be kept, and read back"
    return PortsupError(what, why, f"remove it; {_MAKE_NULL}")


def null_is_another(what: str, why: str | None) -> PortsupError:
    """A device that does not work is in its place."""
    return PortsupError(what, f"{os.devnull} is another device here ({why})", _MAKE_NULL)


def null_is_closed(what: str, mode: int) -> PortsupError:
    """We may not use it."""
    hint = f"as root: `chmod 666 {os.devnull}`; if that changes nothing, its file system is mounted `nodev`"
    return PortsupError(what, f"we may not read and write {os.devnull} (mode {mode:04o})", hint)
