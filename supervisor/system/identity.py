"""Which process: its pid alone is not enough, because pids are used again."""

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A pid with the time its process started.

    `start_time` is in clock ticks since boot on Linux (proc(5), field 22 of /proc/PID/stat), elsewhere in seconds
    since 1970.  `boot` is Linux's boot id: ticks since boot mean nothing after the next one.
    """

    pid: int
    start_time: float
    boot: str = ""

    def as_json(self) -> dict[str, int | float | str]:
        """The value that `from_json` reads back."""
        return {"pid": self.pid, "start_time": self.start_time, "boot": self.boot}

    @classmethod
    def from_json(cls, value: object) -> "Identity | None":
        """The identity that was written, None for anything else."""
        match value:
            case {"pid": int(pid), "start_time": int() | float() as start_time, "boot": str(boot)} if pid > 0:
                return cls(pid, start_time, boot)
        return None
