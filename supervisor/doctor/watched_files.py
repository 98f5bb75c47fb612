"""Checks of the files that a stack watches: whether they are there, and whether the system can watch so many."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from supervisor.config.spec import ServiceSpec
from supervisor.doctor.finding import Finding, Level
from supervisor.words import watching

LIMIT = "/proc/sys/fs/inotify/max_user_watches"
MOST = 1_000_000  # directories that are counted at most
SCARCE = 0.8  # of the limit, which other programs of the user need too


def check_watched(services: Mapping[str, ServiceSpec], limit_file: str = LIMIT) -> Iterator[Finding]:
    """What keeps the files from being watched for which services have `watch`."""
    folders: set[str] = set()
    for name, spec in services.items():
        for path in spec.watch.paths if spec.watch else ():
            whole = os.path.realpath(os.path.join(spec.working_dir, path))
            if not os.path.exists(whole):
                yield Finding("watched-files", Level.WARNING, *watching.not_there(name, whole))
            folders.add(whole)
    if not folders:
        return
    count, limit = _directories(folders), _limit(limit_file)
    if limit is not None and count > SCARCE * limit:
        yield Finding("watched-files", Level.WARNING, *watching.too_many(count, limit))
        return
    yield Finding("watched-files", Level.OK, watching.watched(count))


def _directories(folders: set[str]) -> int:
    """How many directories there are in these, each counted once."""
    outer = [each for each in folders if not any(each != other and each.startswith(f"{other}/") for other in folders)]
    count = 0
    for folder in outer:
        for _ in os.walk(folder):
            count += 1
            if count >= MOST:
                return count
    return count


def _limit(file: str) -> int | None:
    try:
        return int(Path(file).read_text())
    except (OSError, ValueError):  # another system
        return None
