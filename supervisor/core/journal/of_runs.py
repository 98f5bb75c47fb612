"""The events of jobs that run by a schedule."""

from supervisor.core.journal.event import WARNING, OfService


class RunPlanned(OfService):
    """its next run by its [`schedule`](services-yaml.md#schedule): `at`, in the time zone of the schedule"""

    event = "run planned"
    is_quiet = True
    at: str


class RunBegins(OfService):
    """it is time for a run: `at`; `late`, in seconds, if the clock was set forward, the machine slept, or portsup did not run"""  # noqa: E501

    event = "run begins"
    at: str
    late: float | None = None


class RunSkipped(OfService):
    """it was time for a run, and the one before is not over: `at`"""

    event = "run skipped"
    level = WARNING
    at: str


class RunQueued(OfService):
    """the same with `overlap: queue`: it runs as soon as that is over, instead of at `at`"""

    event = "run queued"
    at: str
