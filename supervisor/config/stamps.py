"""Which version of its files a stack was read from."""

from pathlib import Path

from supervisor.config.spec import StackSpec


def stamps_of(spec: StackSpec) -> dict[Path, tuple[int, int]]:
    """When each of the files it was read from was written, and how large it is."""
    return {path: _stamp(path) for path in spec.files}


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_mtime_ns, found.st_size
