"""When to restart, how long to wait first, and when to give up."""

from enum import StrEnum

from supervisor.dataclass import dataclass

# A service that was ready for this many seconds before it ended is restarted at once: one failure after a good
# run says nothing about the next one.  s6-supervise waits until a second has passed since the last start, too.
GOOD_RUN = 1.0
USUAL_RESTARTS = 10
INFINITE = float("inf")  # as `max_restarts`: it is never given up


class Restart(StrEnum):
    """Which ends of a process lead to a restart."""

    NEVER = "never"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Which ends restart a service, how long to wait first, and when to give up.  Durations are in seconds.

    `max_restarts` counts restarts since the service was last ready for a whole `period`; INFINITE for no limit.
    """

    restart: Restart = Restart.ON_FAILURE
    delay: float = 0.5
    factor: float = 2.0
    max_delay: float = 30.0
    max_restarts: float = USUAL_RESTARTS
    period: float = 60.0

    @property
    def is_endless(self) -> bool:
        """Whether it is tried again for as long as it takes."""
        return self.max_restarts == INFINITE

    def wants_restart(self, *, clean: bool) -> bool:
        """Whether a process that ended by itself is started again."""
        match self.restart:
            case Restart.NEVER:
                return False
            case Restart.ON_FAILURE:
                return not clean
            case Restart.ALWAYS:
                return True

    def delay_before(self, attempt: int) -> float:
        """Seconds to wait before restart number `attempt` in a row, counted from 1; never above `max_delay`.

        Attempt 0 follows a good run and does not wait, nor does any without a `delay`.
        """
        if attempt <= 0 or self.delay == 0.0:
            return 0.0
        try:
            return min(self.delay * self.factor ** (attempt - 1), self.max_delay)
        except OverflowError:
            return self.max_delay
