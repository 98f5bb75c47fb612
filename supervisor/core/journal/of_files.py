"""The events of files that services are made of."""

from supervisor.core.journal.event import WARNING, OfService


class FilesChanged(OfService):
    """files that it [watches](services-yaml.md#watch) have changed: `path`, one of them, of `count`; `action` follows: `restart`, `reload` or `run`"""  # noqa: E501

    event = "files changed"
    path: str
    count: int
    action: str


class WatchFailed(OfService):
    """its files cannot be watched: `why`, and `hint`; portsup tries again every 10 s"""

    event = "watch failed"
    level = WARNING
    why: str
    hint: str | None = None


class WatchCommandFailed(OfService):
    """the command that follows a change of its files was not run, or failed: `why`"""

    event = "watch command failed"
    level = WARNING
    why: str
