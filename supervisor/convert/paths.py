"""Where the folders of a container are on this machine: what is mounted, and what was copied into the image."""

import posixpath
import re
from collections.abc import Iterable

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Paths:
    """Pairs of a path in the container and the one on this machine, relative to the folder of the source."""

    pairs: tuple[tuple[str, str], ...] = ()

    def outside(self, path: str) -> str | None:
        """A path of the container as this machine has it; None where it is only in the container."""
        found = [(inside, place) for inside, place in reversed(self.pairs) if _is_below(path, inside)]
        if not found:
            return None
        inside, place = max(found, key=lambda pair: len(pair[0]))
        rest = path[len(inside) :].lstrip("/")
        return posixpath.normpath(posixpath.join(place, rest))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def of_volumes(volumes: object) -> Iterable[tuple[str, str]]:
    """The pairs of `./here:/there` and of its long form; volumes with a name are of the container engine."""
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, dict):
            source, target = str(volume.get("source") or ""), str(volume.get("target") or "")
        else:
            found = re.match(r"((?:\$\{[^}]*\}|[^:])+):([^:]+)", str(volume))
            source, target = (found[1], found[2]) if found else ("", "")
        if source.startswith((".", "~", "/")) and target.startswith("/") and "$" not in source:
            yield posixpath.normpath(target), source.rstrip("/") or "/"


def relative(path: str, folder: str) -> str:
    """A path as a program in `folder` has to write it; both are relative to the same folder."""
    if path.startswith(("/", "~")) or folder.startswith(("/", "~")):
        return path
    found = posixpath.relpath(path, folder or ".")
    return found if found.startswith("..") or found == "." else f"./{found}"
