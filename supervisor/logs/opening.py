"""Opens logs and journals: regular files of ours, and nothing that somebody may have put in their place."""

import errno
import os

from supervisor.files.directory import make, user_name
from supervisor.files.opening import Refused, close, is_ours, open_file
from supervisor.words.directories import of_others


def open_log(path: str, flags: int) -> int:
    """A descriptor for appending to the file at `path`, made with its directory if need be; raises OSError."""
    flags |= os.O_APPEND | os.O_CREAT
    try:
        descriptor = open_file(path, flags)
    except FileNotFoundError:
        make(os.path.dirname(path))
        descriptor = open_file(path, flags)
    found = os.fstat(descriptor)
    if not is_ours(found):
        close(descriptor)
        raise Refused(errno.EPERM, of_others(user_name(found.st_uid)), path)
    return descriptor
