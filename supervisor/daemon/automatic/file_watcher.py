"""A process of its own that watches files: it prints a line of JSON for each change that has settled.

It is given what to watch as JSON in its first argument, see `Task`.  watchfiles has threads, which a process that
forks had better not have, and looks around several times a second: both are left to this one.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from supervisor.files.content import read
from supervisor.words import watching

LARGEST = 1 << 20  # bytes of a .gitignore
MOST_STARS = 3  # in one name of a pattern: with each more, a name may take a hundred times as long
OUT_OF_WATCHERS = "os error 24"  # as the library says it


class Ignoring:
    """What does not count below one directory: the patterns of a service, and the .gitignore files there and above."""

    def __init__(self, root: str, patterns: Iterable[str]) -> None:
        self._root, self._own = root, _spec(patterns)
        self._known: dict[str, tuple[int, Any]] = {}

    def __call__(self, path: str) -> bool:
        """Whether a change of this file is of no interest."""
        # A pattern such as `build/` is one of directories; what is gone may have been one.
        may_be = ("", "/") if not os.path.lexists(path) else ("/",) if _is_folder(path) else ("",)
        own = any(_matches(self._own, os.path.relpath(path, self._root) + end) for end in may_be)
        return own or any(self._by_git(path, end) for end in may_be)

    def _by_git(self, path: str, end: str) -> bool:
        is_ignored = False
        for folder in _folders_to(path, self._root):
            spec = self._spec_of(folder)
            if spec is not None and (found := _matches(spec, os.path.relpath(path, folder) + end)) is not None:
                is_ignored = found
        return is_ignored

    def _spec_of(self, folder: str) -> Any:
        file = os.path.join(folder, ".gitignore")
        try:
            stamp = os.stat(file).st_mtime_ns
            if self._known.get(folder, (0, None))[0] != stamp:
                text = read(file, LARGEST, follow=True).decode(errors="replace")
                self._known[folder] = stamp, _spec(line for line in text.splitlines() if not _is_slow(line))
        except OSError:  # there is none, nobody may read it, or it is a FIFO or as long as /dev/zero
            return None
        return self._known[folder][1]


def _spec(patterns: Iterable[str]) -> Any:
    """What these patterns ignore; one that is none ignores nothing, as for git."""
    from pathspec import GitIgnoreSpec

    def is_one(pattern: str) -> bool:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error):
            return False
        return True

    return GitIgnoreSpec.from_lines(filter(is_one, patterns))


def _is_slow(pattern: str) -> bool:
    return any(part.replace("**", "*").count("*") > MOST_STARS for part in pattern.split("/"))


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)  # git takes a link for a file


def _matches(spec: Any, path: str) -> bool | None:
    """Whether a path is ignored; None where nothing is said about it."""
    if path.startswith(".."):
        return None
    found: bool | None = spec.check_file(path).include
    return found


def _folders_to(path: str, root: str) -> Iterator[str]:
    """The folders from that of the repository, or `root` where there is none, down to that of a file."""
    folders = [str(folder) for folder in Path(path).parents]
    tops = (number for number, folder in enumerate(folders) if os.path.exists(f"{folder}/.git"))
    top = next(tops, folders.index(root) if root in folders else 0)
    return reversed(folders[: top + 1])


def concerned(task: dict[str, Any], ignoring: dict[str, Ignoring], changed: Iterable[str]) -> dict[str, list[str]]:
    """The files that have changed, by the service that they are of."""
    found: dict[str, list[str]] = {}
    for path in sorted(changed):
        for name, each in task["services"].items():
            inside = any(path == top or path.startswith(top.rstrip("/") + "/") for top in each["paths"])
            if inside and not ignoring[name](path):
                found.setdefault(name, []).append(os.path.relpath(path, each["root"]))
    return found


def main(task: dict[str, Any]) -> int:
    """Watches until it is killed; 1 where that is not possible, which the last line tells."""
    import watchfiles
    from watchfiles._rust_notify import WatchfilesRustInternalError

    services: dict[str, Any] = task["services"]
    for name, each in services.items():
        each["paths"] = [os.path.realpath(path) for path in each["paths"]]
        if missing := next((path for path in each["paths"] if not os.path.exists(path)), None):
            _print({"service": name, "error": watching.missing(missing)})
            return 1
    ignoring = {name: Ignoring(os.path.realpath(each["root"]), each["ignore"]) for name, each in services.items()}
    for each in services.values():
        each["root"] = os.path.realpath(each["root"])
    paths = sorted({path for each in services.values() for path in each["paths"]})
    for skips_closed in (False, True):  # a limit that is reached is told only where a closed directory is no matter
        try:
            changes = watchfiles.watch(
                *paths, step=task["step"], debounce=task["longest"], raise_interrupt=False,
                ignore_permission_denied=skips_closed,
            )  # fmt: skip
            for batch in changes:
                if found := concerned(task, ignoring, {path for _, path in batch}):
                    _print({"changed": found})
            return 0
        except PermissionError:
            continue
        except (OSError, WatchfilesRustInternalError) as error:
            _print(_told(str(error)))
            return 1
    return 1


def _told(error: str) -> dict[str, Any]:
    if "limit" in error:
        return dict(zip(("error", "hint"), watching.DIRECTORIES, strict=True))
    if OUT_OF_WATCHERS in error:
        return dict(zip(("error", "hint"), watching.WATCHERS, strict=True))
    return {"error": error}


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
