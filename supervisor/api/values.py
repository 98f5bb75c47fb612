"""What a running stack tells, as frozen values.  Keys that a newer portsup adds are left alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class PortStatus:
    """One port of a pool; `state` is active, spare, taken or quarantined, `holder` says who has it if not we."""

    port: int
    state: str
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service as `portsup status` shows it; `uptime_s` is in seconds, `exit_code` negative for a signal."""

    name: str
    state: str
    status: str
    health: str
    port: int | None
    url: str | None
    pid: int | None
    uptime_s: float | None
    restarts: int
    exit_code: int | None
    result: str | None
    pool: tuple[PortStatus, ...]
    reason: str = ""

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "ServiceStatus":
        """A row of the control protocol."""
        pool = tuple(PortStatus(port["port"], port["state"], port["holder"]) for port in row["pool"])
        same = [each.name for each in fields(cls) if each.name not in ("pool", "reason")]
        return cls(**{key: row[key] for key in same}, pool=pool, reason=row.get("reason") or "")


@dataclass(frozen=True, slots=True)
class Socket:
    """A TCP socket that a process listens on."""

    host: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Resources:
    """What all processes of a service use together: processor time in seconds, bytes of memory, how many they are."""

    cpu_s: float
    memory: int
    processes: int
    listens: tuple[Socket, ...]

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Resources":
        """What the control protocol says of one service."""
        listens = tuple(Socket(each["host"], each["port"], each["pid"]) for each in told["listens"])
        return cls(told["cpu_s"], told["memory"], told["processes"], listens)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is, or would be first."""

    host: str
    port: int
    url: str
    pool: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went for one service."""

    service: str
    ok: bool
    words: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; docs/reference/events.md has them all.  `service` is None for the whole instance."""

    time: str
    seq: int
    level: str
    event: str
    service: str | None = None
    state: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Event":
        """An event of the control protocol."""
        own = ("time", "seq", "level", "event", "service", "state")
        facts = {key: value for key, value in told.items() if key not in own}
        return cls(
            time=told["time"],
            seq=told.get("seq", 0),
            level=told["level"],
            event=told["event"],
            service=told.get("service"),
            state=told.get("state"),
            facts=facts,
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a service printed; `stream` is stdout or stderr."""

    time: str
    service: str
    stream: str
    message: str


@dataclass(frozen=True, slots=True)
class Gap:
    """So many events or log lines were left out, because whoever reads them was too slow."""

    missed: int
