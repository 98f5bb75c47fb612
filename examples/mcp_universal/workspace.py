"""One folder of files, and no way out of it.

Whoever calls the tools may also run code that renames folders and makes links while a call is looking at them. So a
path is resolved once, to see where it leads, and then opened folder by folder from the root with O_NOFOLLOW: a step
that has become a link in between is an error, never a way out. Listing and searching look into folders that were opened
in the same way.
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

MOST_READ = 1024 * 1024  # bytes that one call reads or writes
MOST_VISITED = 50_000  # entries that one listing or search looks at
MOST_SECONDS = 3.0  # that a listing or search takes; it cannot be interrupted, and a stop waits for it
_ANCHORED = os.open in os.supports_dir_fd  # not on Windows


class Refusal(Exception):
    """What was asked for is not possible or not allowed; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or symbolic link, its path relative to the root."""

    path: str
    kind: str  # file | folder | link | other
    size: int


@dataclass(frozen=True, slots=True)
class Match:
    """A line that contains what was searched for; `line` counts from 1."""

    path: str
    line: int
    text: str


class Workspace:
    """The files below `root`.  Paths are relative to it and are never followed out of it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve(strict=True)

    def locate(self, path: str) -> Path:
        """The real place of `path`, symbolic links followed; a Refusal when that is outside."""
        if "\0" in path:
            raise Refusal("bad_path", "a path cannot contain a NUL character")
        try:
            place = (self.root / path).resolve()
        except (OSError, RuntimeError, ValueError):  # links that go round in circles; half of a surrogate pair
            raise Refusal("bad_path", f"`{path}` cannot be resolved") from None
        if not place.is_relative_to(self.root):
            raise Refusal("outside_root", f"`{path}` is outside the workspace")
        return place

    def locate_itself(self, path: str) -> Path:
        """The place of what `path` names, which may be a link: only the folders before it are followed."""
        name = path.rstrip("/").rpartition("/")[2]
        if name in ("", ".", ".."):
            raise Refusal("bad_path", f"`{path}` names no file or folder in the workspace")
        return self.locate(path.rstrip("/").rpartition("/")[0]) / name

    def read(self, path: str, offset: int, limit: int) -> tuple[bytes, int]:
        """Bytes of a file and its whole size."""
        with self._opened(self.locate(path), path) as file:
            file.seek(offset)
            return file.read(min(limit, MOST_READ)), os.fstat(file.fileno()).st_size

    def write(self, path: str, content: bytes, create_dirs: bool) -> bool:
        """Replaces a file as a whole or makes it; says whether it is new."""
        if len(content) > MOST_READ:
            raise Refusal("too_large", f"at most {MOST_READ} bytes can be written at once")
        place = self.locate(path)
        if place == self.root or place.is_dir():
            raise Refusal("not_a_file", f"`{path}` is a folder")
        folder = self._open_folder(place.parent, path, make=create_dirs)
        try:
            return _replace(folder, place, content, path)
        finally:
            if folder is not None:
                os.close(folder)

    def entries(self, path: str, pattern: str, limit: int) -> tuple[list[Entry], bool]:
        """What matches below a folder, in order of path, and whether there is more."""
        start = self.locate(path)
        if not start.is_dir():
            raise Refusal("not_a_folder" if start.exists() else "not_found", f"`{path}` is not a folder")
        wanted = steps(pattern)
        found: list[Entry] = []
        try:
            for place, entry in self.walk(start, deep=len(wanted) > 1):
                if matches(wanted, place.relative_to(start).parts):
                    if len(found) >= limit:
                        return found, True
                    found.append(_entry(place.relative_to(self.root).as_posix(), entry))
        except Enough:
            return found, True
        return found, False

    def search(self, text: str, pattern: str, limit: int, any_case: bool = False) -> tuple[list[Match], bool]:
        """Lines that contain `text`, in files of UTF-8 up to MOST_READ bytes, and whether there may be more."""
        if not text:
            raise Refusal("bad_request", "there is nothing to search for")
        wanted = steps(pattern)
        found: list[Match] = []
        try:
            for place, entry in self.walk(self.root, deep=True):
                if not entry.is_file(follow_symlinks=False):
                    continue
                path = place.relative_to(self.root)
                if matches(wanted, path.parts) and not self._search_in(path.as_posix(), text, limit, any_case, found):
                    return found, True
        except Enough:
            return found, True
        return found, False

    def _search_in(self, path: str, text: str, limit: int, any_case: bool, found: list[Match]) -> bool:
        try:
            content, size = self.read(path, 0, MOST_READ)
        except Refusal:
            return True
        if size > MOST_READ or b"\0" in content[:8192] or not (any_case or text.encode() in content):
            return True
        wanted = text.casefold() if any_case else text
        for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
            if wanted in (line.casefold() if any_case else line):
                if len(found) >= limit:
                    return False
                found.append(Match(path, number, line.strip()[:300]))
        return True

    def walk(self, start: Path, *, deep: bool) -> "Iterator[tuple[Path, os.DirEntry[str]]]":
        """Entries in order, each with its place and good until the next; links are shown but not followed."""
        deadline = time.monotonic() + MOST_SECONDS
        visited = 0
        folders = [start]
        while folders:
            place = folders.pop()
            try:
                folder = self._open_folder(place, place.name)
            except Refusal:
                continue
            try:
                with os.scandir(place if folder is None else folder) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
                for entry in entries:
                    visited += 1
                    if visited > MOST_VISITED or time.monotonic() > deadline:
                        raise Enough
                    yield place / entry.name, entry
                if deep:
                    folders += [
                        place / entry.name for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)
                    ]
            except OSError:
                continue
            finally:
                if folder is not None:
                    os.close(folder)

    def _opened(self, place: Path, path: str) -> BinaryIO:
        if place == self.root:
            raise Refusal("not_a_file", f"`{path}` is a folder")
        folder = self._open_folder(place.parent, path)
        # O_NONBLOCK, because opening a FIFO would wait for a writer.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            fd = os.open(place if folder is None else place.name, flags, dir_fd=folder)
        except OSError as error:
            raise translated(error, path) from None
        finally:
            if folder is not None:
                os.close(folder)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Refusal("not_a_file", f"`{path}` is not a regular file")
        return os.fdopen(fd, "rb", buffering=0)

    def _open_folder(self, place: Path, path: str, *, make: bool = False) -> int | None:
        """Opens a folder step by step from the root, following no link: what `locate` saw may have changed since.

        None where the system cannot open a file relative to a folder (Windows).
        """
        try:
            if not _ANCHORED:
                if make:
                    place.mkdir(parents=True, exist_ok=True)
                return None
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            current = os.open(self.root, flags)
            for step in place.relative_to(self.root).parts:
                try:
                    if make:
                        try:
                            os.mkdir(step, dir_fd=current)
                        except FileExistsError:
                            pass
                    following = os.open(step, flags, dir_fd=current)
                finally:
                    os.close(current)
                current = following
        except OSError as error:
            raise translated(error, path) from None
        return current


class Enough(Exception):
    """A walk met one of its limits."""


def _entry(path: str, entry: "os.DirEntry[str]") -> Entry:
    if entry.is_symlink():
        return Entry(path, "link", 0)
    if entry.is_dir(follow_symlinks=False):
        return Entry(path, "folder", 0)
    try:
        kind = "file" if entry.is_file(follow_symlinks=False) else "other"
        return Entry(path, kind, entry.stat(follow_symlinks=False).st_size)
    except OSError:
        return Entry(path, "other", 0)


def _replace(folder: int | None, place: Path, content: bytes, path: str) -> bool:
    beside = f".{place.name[:200]}.{secrets.token_hex(4)}"
    target, source = (str(place), str(place.with_name(beside))) if folder is None else (place.name, beside)
    try:
        try:
            there = os.stat(target, dir_fd=folder, follow_symlinks=False).st_mode
            if not stat.S_ISREG(there):  # a FIFO or a socket that somebody reads from
                raise Refusal("not_a_file", f"`{path}` is not a regular file")
            mode, is_new = stat.S_IMODE(there), False
        except FileNotFoundError:
            mode, is_new = 0o644, True
        fd = os.open(source, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode, dir_fd=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
            os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(source, dir_fd=folder)
            raise
    except OSError as error:
        raise translated(error, path) from None
    return is_new


def translated(error: OSError, path: str) -> Refusal:
    """What a failed call of the system means to whoever asked for `path`."""
    match error:
        case FileExistsError():
            return Refusal("exists", f"`{path}` is there already")
        case FileNotFoundError():
            return Refusal("not_found", f"`{path}` does not exist")
        case NotADirectoryError() | IsADirectoryError():
            return Refusal("not_a_file", f"`{path}` is not a file in a folder")
        case PermissionError():
            return Refusal("not_permitted", f"`{path}` is not open to this service")
    return Refusal("io_error", f"`{path}`: {error.strerror}")


def steps(pattern: str) -> tuple[str, ...]:
    """A pattern by folders, for `matches`."""
    if len(pattern) > 200:
        raise Refusal("bad_request", "a pattern can have 200 characters")
    return tuple(re.sub(r"(\*\*/)+", "**/", pattern).strip("/").split("/"))


def matches(wanted: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether a path fits a pattern; `**` stands for any number of folders."""
    fitting = {0}  # so many names may be what the pattern so far stands for
    for step in wanted:
        if step == "**":
            fitting = set(range(min(fitting), len(names) + 1)) if fitting else fitting
        else:
            fitting = {count + 1 for count in fitting if count < len(names) and fnmatchcase(names[count], step)}
    return len(names) in fitting
