"""The secret by which the loopback knows programs of its user: in a file that only they can read."""

import contextlib
import os
import secrets
import stat

from supervisor.errors import PortsupError
from supervisor.files.content import read_open
from supervisor.files.directory import make
from supervisor.files.opening import close, explained, is_ours, open_file
from supervisor.files.replacement import write, write_new
from supervisor.logs.state_dir import check_state, state_directory
from supervisor.words import directories as words

BYTES = 32  # of randomness
_LONGEST = 1024


def token_path() -> str:
    """Where it is kept."""
    return os.path.join(state_directory(), "token")


def user_token() -> str:
    """The token of this user, made if there is none; raises PortsupError for a file that others could read or write."""
    path = token_path()
    what = words.token_unusable(path)
    check_state()
    try:
        make(os.path.dirname(path))
        new = secrets.token_urlsafe(BYTES)
        if not os.path.lexists(path):
            with contextlib.suppress(FileExistsError):  # by somebody who was faster: then that one is ours, too
                write_new(path, f"{new}\n".encode(), mode=0o600)
        token = _read(path)
        if not token:
            write(path, f"{new}\n".encode(), mode=0o600, durable=True)
        return token or new
    except OSError as error:
        raise PortsupError(what, explained(error)) from error


def _read(path: str) -> str:
    """What the file holds; raises OSError, or PortsupError where others could have read or written it."""
    descriptor = open_file(path, os.O_RDONLY)
    try:
        found = os.fstat(descriptor)
        if not is_ours(found) or stat.S_IMODE(found.st_mode) & 0o077:
            raise words.token_not_secret(path)
        return read_open(descriptor, _LONGEST, path).decode("ascii", errors="replace").strip()
    finally:
        close(descriptor)
