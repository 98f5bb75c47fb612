"""Which process: its pid alone is not enough, because pids are used again."""

from supervisor.dataclass import dataclass

MOST_PID = 1 << 31  # pid_t is an int


@dataclass(frozen=True, slots=True)
class Identity:
    """A pid with the time its process started.

    `start_time` is in clock ticks since boot on Linux (proc(5), field 22 of /proc/PID/stat), elsewhere in seconds
    since 1970.  `boot` is Linux's boot id: ticks since boot mean nothing after the next one.  `namespace` is the inode
    of the PID namespace in which `pid` is a number (pid_namespaces(7)): in another one it means somebody else, or
    nobody.  0 where there are none, and in what an older portsup wrote.
    """

    pid: int
    start_time: float
    boot: str = ""
    namespace: int = 0

    def seen_from(self, namespace: int) -> int | None:
        """The pid for processes of that PID namespace, None where it is the number of another one."""
        return self.pid if self.namespace in (0, namespace) else None

    def words_from(self, namespace: int) -> str:
        """The pid for people who look from that PID namespace."""
        return f"pid {self.pid}" + ("" if self.seen_from(namespace) else " of another PID namespace")

    def as_json(self) -> dict[str, int | float | str]:
        """The value that `from_json` reads back."""
        return {
            "pid": self.pid,
            "start_time": self.start_time,
            "boot": self.boot,
            "namespace": self.namespace,
        }

    @classmethod
    def from_json(cls, value: object) -> "Identity | None":
        """The identity that was written, None for anything else."""
        match value:
            case {"pid": int(pid), "start_time": int() | float() as start_time, "boot": str(boot), **rest}:
                namespace = rest.get("namespace", 0)
                if 0 < pid < MOST_PID and is_finite(start_time) and isinstance(namespace, int):
                    return cls(pid, start_time, boot, namespace)
        return None


def is_finite(number: float) -> bool:
    """Whether a number that was read is one that can be reckoned with."""
    try:
        return float(number) - number == 0  # without `math`, which is a file of its own
    except OverflowError:  # an int beyond any float
        return False
