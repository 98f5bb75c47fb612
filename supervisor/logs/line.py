"""One line of a log, as people and programs get to see it."""

import json
import time

from supervisor.dataclass import dataclass

LATEST = 253_370_764_800.0  # the year 9999, which is one in every time zone: more is damage


@dataclass(frozen=True, slots=True)
class Line:
    """What a service printed; `time` is in seconds since 1970, `message` has no newline and is always valid text."""

    time: float
    service: str
    stream: str
    message: str

    def as_json(self) -> str:
        """One JSON object: time (RFC 3339, UTC), service, stream, message."""
        return json.dumps(
            {"time": rfc3339(self.time), "service": self.service, "stream": self.stream, "message": self.message},
            ensure_ascii=False,
        )


def rfc3339(seconds: float) -> str:
    """A moment in UTC with milliseconds, such as 2026-03-01T09:30:00.250Z; of one that can only be damage, the nearest.

    Files may have been written at any time, by what their index or the file system says.
    """
    seconds = min(max(seconds, 0.0), LATEST)
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    moment = time.gmtime(whole)
    return f"{moment.tm_year:04}{time.strftime('-%m-%dT%H:%M:%S', moment)}.{thousandths:03d}Z"
