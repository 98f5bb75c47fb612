"""Why files cannot be watched, in words, and how many are."""

DIRECTORIES = (
    "the limit of the system for watched directories is reached (inotify)",
    "`sudo sysctl fs.inotify.max_user_watches=524288`, or name fewer directories in `watch`",
)
WATCHERS = (
    "the limit of the system for programs that watch files is reached (inotify)",
    "`sudo sysctl fs.inotify.max_user_instances=512`, or end programs that watch files",
)


def missing(path: str) -> str:
    """What is to be watched is not there."""
    return f"there is no `{path}`"


def not_there(service: str, path: str) -> tuple[str, str]:
    """The same, for `doctor`."""
    return f"`{service}` watches `{path}`, which is not there", "make it, or name another one in `watch`"


def too_many(count: int, limit: int) -> tuple[str, str]:
    """The system does not allow so many."""
    what = f"portsup would watch {count} directories, and the system allows one user {limit} (inotify)"
    return what, f"`sudo sysctl fs.inotify.max_user_watches={max(524288, 4 * count)}`, or name fewer in `watch`"


def watched(count: int) -> str:
    """How many there are."""
    return f"{'1 directory is' if count == 1 else f'{count} directories are'} watched for changes"
