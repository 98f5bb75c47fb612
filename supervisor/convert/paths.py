"""Where the folders of a container are on this machine: what is mounted, and what was copied into the image."""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from supervisor.convert.references import resolved
from supervisor.convert.values import REFERENCE
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

    def outside_each(self, value: str, folder: str) -> str:
        """A value with its paths, one or several with `:` between them, as a program in `folder` has to write them."""
        parts = value.split(":")
        if not all(part.startswith("/") for part in parts if part):
            return value
        found = [self.outside(part) if part else None for part in parts]
        return ":".join(
            part if place is None else relative(place, folder) for part, place in zip(parts, found, strict=True)
        )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def real(path: str, known: Mapping[str, str]) -> str:
    """A path of a compose file as the system knows it; empty where a variable in it is not among those `known`."""
    return resolved(path, REFERENCE, {**known, "PWD": "."}) or ""


def of_volumes(volumes: object, known: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The pairs of `./here:/there` and of its long form; volumes with a name are of the container engine.

    `known` are the variables of the file `.env`, which may stand in them; a path with another one is none.
    """
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, dict):
            source, target = str(volume.get("source") or ""), str(volume.get("target") or "")
        else:
            found = re.match(r"((?:\$\{[^}]*\}|[^:])+):([^:]+)", str(volume))
            source, target = (found[1], found[2]) if found else ("", "")
        source, target = real(source, known), real(target, known)
        if source.startswith((".", "~", "/")) and target.startswith("/"):
            yield posixpath.normpath(target), source.rstrip("/") or "/"


def relative(path: str, folder: str) -> str:
    """A path as a program in `folder` has to write it; both are relative to the same folder."""
    if path.startswith(("/", "~")) or folder.startswith(("/", "~")):
        return path
    found = posixpath.relpath(path, folder or ".")
    return found if found.startswith("..") or found == "." else f"./{found}"


def of_files(given: Mapping[str, Any], top: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The pairs of a service's `secrets` and `configs` that are files; `top` is the whole compose file."""
    for key, folder in (("secrets", "/run/secrets"), ("configs", "/")):
        known, wanted = top.get(key), given.get(key)
        for item in wanted if isinstance(wanted, list) else ():
            told = item if isinstance(item, dict) else {"source": item}
            source = str(told.get("source") or "")
            entry = known.get(source) if isinstance(known, dict) else None
            if isinstance(entry, dict) and isinstance(file := entry.get("file"), str) and "$" not in file:
                yield posixpath.normpath(posixpath.join(folder, str(told.get("target") or source))), file


# A value that is a path of an address, whatever directory has the same name.
_OF_ADDRESS = re.compile(r"URL|URI|PREFIX|ROUTE|ENDPOINT|CONTEXT|BASE_?PATH|HEALTH|CHECK", re.ASCII | re.IGNORECASE)
_OF_FILES = re.compile(r"DIR|PATH|FILE|FOLDER|HOME|ROOT|DATA|STORAGE|UPLOAD|CONF|VOLUME", re.ASCII | re.IGNORECASE)
_SQLITE = re.compile(r"(sqlite3?(?:\+\w+)?:///)(/[^?]+)(\?.*)?", re.ASCII)


def is_of_files(name: str) -> bool:
    """Whether a variable is for a file or a directory, as its name has it."""
    return bool(_OF_FILES.search(name)) and not _OF_ADDRESS.search(name)


def of_variable(name: str, value: str, paths: Paths, folder: str, is_there: Callable[[str], bool]) -> str:
    """The value of a variable with the paths that its container had as a program in `folder` has to write them.

    `is_there` says whether there is something at a path of this machine; what is not there stays as it is.
    """
    if found := _SQLITE.fullmatch(value):
        place = _place(found[2], paths, folder, is_there)
        return f"{found[1]}{place}{found[3] or ''}" if place else value
    parts = value.split(":")
    if _OF_ADDRESS.search(name) or not all(part.startswith("/") for part in parts):
        return value
    is_folder = len(parts) == 1 and "." not in posixpath.basename(value)
    if is_folder and value.rstrip("/") in {inside for inside, _ in paths.pairs} and not _OF_FILES.search(name):
        return value  # `/app` may as well be the beginning of an address
    return ":".join(_place(part, paths, folder, is_there) or part for part in parts)


def _place(path: str, paths: Paths, folder: str, is_there: Callable[[str], bool]) -> str:
    found = paths.outside(posixpath.normpath(path))
    if found is None or not (is_there(found) or is_there(posixpath.dirname(found) or ".")):
        return ""
    return relative(found, folder)
