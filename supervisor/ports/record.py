"""Who has a lock and since when: a small JSON file beside the lock file.  It explains; only the lock decides."""

import contextlib
import json
import os
import time

from supervisor.core.instance import LAST_PORT
from supervisor.dataclass import dataclass
from supervisor.files.content import read
from supervisor.files.opening import Refused
from supervisor.files.replacement import write, write_over
from supervisor.system import Identity
from supervisor.system.identity import is_finite

_BLOCK = 512  # bytes of a record, blanks at its end
_LONGEST = 1 << 16  # bytes; a record is about 300
_INSTANT = 1_000_000_000  # nanoseconds: no file system has coarser times but FAT, which has no locks

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Owner:
    """On whose behalf a port is leased."""

    stack: str
    instance: int
    service: str
    run_id: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Record:
    """The owner of a port; `since` is in seconds since 1970."""

    port: int
    stack: str
    instance: int
    service: str
    run_id: str
    owner: Identity
    since: float

    @classmethod
    def of(cls, port: int, owner: Owner, since: float) -> "Record":
        """The record that says that `owner` has `port`."""
        return cls(port, owner.stack, owner.instance, owner.service, owner.run_id, owner.identity, since)

    def write(self, path: str) -> int:
        """Write the record over what is at `path`: readers see it whole, or nothing for an instant.  Raises OSError.

        Gives the mark by which `is_as_written` and `clear` know it again.

        Only who holds the port's lock writes.  Neither by renaming a new file over the old one nor by cutting it
        first: on ext4 each takes 1 ms (measured, 600 records: 500 to 1000 ms against 40), and 200 services have 600
        records.  So a record is a block of fixed size that is written over.
        """
        fields = {
            "port": self.port,
            "stack": self.stack,
            "instance": self.instance,
            "service": self.service,
            "run_id": self.run_id,
            "owner": self.owner.as_json(),
            "since": self.since,
        }
        data = _encoded(fields)
        write_over(path, data, _BLOCK)
        return _mark_of(data)

    @classmethod
    def clear(cls, path: str, owner: Identity | None = None, mark: int = 0) -> None:
        """Leave a blank record, in the place of one of `owner` alone if that is given: nobody has the port.

        The file stays, making it is what takes time.
        """

        def is_of_owner(data: bytes) -> bool:
            if _mark_of(data) == mark:
                return True
            found = cls._of(_parsed(data))
            return found is not None and found.owner == owner

        with contextlib.suppress(OSError):
            write_over(path, b"\n", _BLOCK, None if owner is None else is_of_owner)

    @classmethod
    def read(cls, path: str) -> "Record | None":
        """The record at `path`, None if there is none that makes sense."""
        return cls._of(read_json(path))

    @classmethod
    def _of(cls, fields: object) -> "Record | None":
        match fields:
            case {
                "port": int(port),
                "stack": str(stack),
                "instance": int(instance),
                "service": str(service),
                "run_id": str(run_id),
                "owner": owner,
                "since": int() | float() as since,
            } if 0 < port <= LAST_PORT and is_finite(since) and (identity := Identity.from_json(owner)):
                return cls(port, stack, instance, service, run_id, identity, since)
        return None


def is_as_written(path: str, mark: int) -> bool:
    """Whether the record at `path` is the one that was written with this mark: to read it takes three times as long."""
    try:
        return _mark_of(read(path, _LONGEST)) == mark
    except OSError:
        return False


def _mark_of(data: bytes) -> int:
    return hash(data.rstrip()) or 1  # of this process alone, and never that of nothing


def write_json(path: str, fields: object) -> None:
    """Replace the file at `path` by `fields`, readable by us only; raises OSError and leaves no half file behind."""
    # No fsync: after a power cut the locks are gone too, and a record without a lock means nothing.
    write(path, _encoded(fields), mode=0o600)


def write_json_over(path: str, fields: object) -> None:
    """Write over the beginning of the file at `path`, the rest of which becomes blank; raises OSError."""
    write_over(path, _encoded(fields), 0)


def read_json(path: str) -> object:
    """What the file at `path` holds; None if it is missing, cannot be read, is no regular file or no JSON."""
    try:
        return readable_json(path)
    except OSError:
        return None


def readable_json(path: str) -> object:
    """The same; raises OSError where there is a record, and it cannot be read just now."""
    try:
        return _parsed(read(path, _LONGEST))
    except (FileNotFoundError, Refused):
        return None


def _parsed(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def stamp_of(path: str) -> Stamp | None:
    """What tells a record from a later one; None where there is none, or while one may follow in the same instant."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    is_settled = abs(time.time_ns() - found.st_mtime_ns) > _INSTANT
    return (found.st_ino, found.st_mtime_ns, found.st_size) if is_settled else None


def _encoded(fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"
