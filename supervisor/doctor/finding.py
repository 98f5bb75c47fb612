"""What a check has to say."""

from enum import StrEnum

from supervisor.dataclass import dataclass


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"  # worth knowing
    WARNING = "warning"  # will be in the way one day
    ERROR = "error"  # `up` cannot work like this


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is empty where nothing has to be done."""

    check: str
    level: Level
    what: str
    remedy: str = ""
