"""What is said of logs, and in them."""

from supervisor.errors import PortsupError, UsageError

CANNOT_SEARCH = "cannot search the logs"
GAP = "[portsup] lines may be missing here: the log was rotated faster than it was read"
NO_ROOM = "no space left on device"


def waits_to_read_on(why: str, hint: str) -> str:
    """Who follows the logs cannot open one now."""
    return f"cannot read on: {why}; portsup tries again until it can ({hint})"


def lost(count: int, why: str) -> bytes:
    """The line in a log that stands where so many bytes are missing."""
    return f"[portsup] {count} bytes of output lost here: {why}\n".encode()


def dropped(count: int) -> bytes:
    """The line in a log that begins anew."""
    return f"[portsup] {count} bytes of older output dropped here: the log cannot be rotated\n".encode()


def no_expression(text: str, error: Exception) -> UsageError:
    """What is looked for is no regular expression."""
    hint = r"for these characters themselves put a `\` before each of . * + ? ( ) [ { ^ $ |"
    return UsageError(CANNOT_SEARCH, f"`{text}` is no regular expression: {error}", hint)


def no_level(text: str, names: "tuple[str, ...]") -> UsageError:
    """There is no such level."""
    return UsageError(CANNOT_SEARCH, f"there is no level `{text}`", f"levels: {', '.join(names)}")


def no_field(text: str) -> UsageError:
    """A text names no field of a JSON object."""
    return UsageError(CANNOT_SEARCH, f"`{text}` names no field", "write `user`, `http.status=500`")


def no_cursor() -> UsageError:
    """A cursor is none that a search gave."""
    return UsageError("cannot go on reading the logs", "this is no cursor of a search", "leave it out")


def too_slow(expression: str, *, is_one: bool) -> UsageError:
    """An expression takes too long, on one line or on all together."""
    why = f"`{expression}` takes too long on {'one of the lines' if is_one else 'these lines'}"
    return UsageError(CANNOT_SEARCH, why, "use a simpler expression")


def too_long(seconds: float) -> UsageError:
    """A search in a process of its own did not end."""
    return UsageError(CANNOT_SEARCH, f"it takes longer than {seconds:g} s", "use a simpler expression")


def search_failed(error: Exception) -> PortsupError:
    """The process that was to search has failed."""
    return PortsupError(CANNOT_SEARCH, f"the process that was to do it failed ({error})")
