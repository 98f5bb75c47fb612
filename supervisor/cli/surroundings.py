"""What `init` tells a converter about the folder: its files, and the programs of this machine."""

import glob
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from supervisor import system
from supervisor.convert.around import Around, FileKind

_LOOKED_AT = 1024  # bytes that tell a text from a program
MOST_FILES = 200  # that one pattern may mean


def around(here: Path, read: Callable[[Path], str]) -> Around:
    """The facts about `here`; `read` gives the text of a file, or raises PortsupError."""

    def text(path: str) -> str:
        return read(here / path)

    def kind(path: str) -> FileKind:
        return _kind(here / path)

    def matching(pattern: str) -> list[str]:
        found = sorted(glob.glob(pattern, root_dir=here))[:MOST_FILES]
        return [path for path in found if os.path.isfile(here / path)]

    named = getattr(os, "uname", lambda: ("windows",))()[0].lower()
    named = {"darwin": "macos"}.get(named, named)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    has_program: Callable[[str], bool] = lambda name: shutil.which(name) is not None  # noqa: E731
    return Around(text, kind, matching, has_program, named, is_root, str(here), processors=os.cpu_count() or 0)


def highest_limit(name: str) -> float:
    """The highest that a program may get here of what `limits` calls `name`; infinite where there is no such limit."""
    if system.HAS_JOBS:
        return math.inf
    import resource

    from supervisor.process.limits import RESOURCES

    found = system.highest_limit(RESOURCES[name])
    return math.inf if found == resource.RLIM_INFINITY else found


def _kind(path: Path) -> FileKind:
    try:
        if path.is_dir():
            return FileKind.FOLDER
        if not path.is_file():
            return FileKind.NOTHING
        with open(path, "rb") as file:
            head = file.read(_LOOKED_AT)
    except (OSError, ValueError):
        return FileKind.NOTHING
    if b"\0" in head:
        return FileKind.BINARY
    return FileKind.EXECUTABLE if head.startswith(b"#!") and os.access(path, os.X_OK) else FileKind.TEXT
