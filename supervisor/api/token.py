"""The secret by which the loopback knows programs of its user: in a file that only they can read."""

import os
import secrets
import stat

from supervisor.errors import PortsupError
from supervisor.files.directory import make
from supervisor.files.opening import explained, is_ours, open_file
from supervisor.logs.state_dir import check_state, state_directory

BYTES = 32  # of randomness
_LONGEST = 1024


def token_path() -> str:
    """Where it is kept."""
    return os.path.join(state_directory(), "token")


def user_token() -> str:
    """The token of this user, made if there is none; raises PortsupError for a file that others could read or write."""
    path = token_path()
    what = f"cannot use the token in `{path}`"
    check_state()
    try:
        make(os.path.dirname(path))
        try:
            descriptor = open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            descriptor = open_file(path, os.O_RDWR)
        with open(descriptor, "r+", encoding="ascii", errors="replace") as file:
            found = os.fstat(file.fileno())
            if not is_ours(found) or stat.S_IMODE(found.st_mode) & 0o077:
                hint = f"delete it, and another one is made: `rm {path}`"
                raise PortsupError(what, "others can read or write it", hint)
            token = file.read(_LONGEST).strip()
            if not token:
                token = secrets.token_urlsafe(BYTES)
                file.seek(0)
                file.write(token + "\n")
            return token
    except OSError as error:
        raise PortsupError(what, explained(error)) from error
