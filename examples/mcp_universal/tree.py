"""What is in the workspace: one file or folder in full, or a folder with all that is below it."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from examples.mcp_universal.workspace import Enough, Refusal, Workspace, matches, steps, translated

MOST_NODES = 5000


@dataclass
class Info:
    """Times are of ISO 8601 in UTC, `mode` as `ls -l` shows it; `target` is where a link leads."""

    path: str
    kind: str  # file | folder | link | other
    size: int
    mode: str
    modified: str
    changed: str
    accessed: str
    target: str | None


@dataclass
class Node:
    """One entry of a folder; `children` are there for folders only."""

    name: str
    kind: str
    size: int
    children: "list[Node] | None" = None


@dataclass
class Tree:
    path: str
    children: list[Node] = field(default_factory=list)
    truncated: bool = False


def info(workspace: Workspace, path: str) -> Info:
    """All that is known of a file, folder or link, which is not followed."""
    is_root = path.strip("/") in ("", ".") and not path.startswith("/")
    place = workspace.root if is_root else workspace.locate_itself(path)
    folder = workspace._open_folder(place if is_root else place.parent, path)
    name = "." if is_root and folder is not None else str(place) if folder is None else place.name
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        target = os.readlink(name, dir_fd=folder) if stat.S_ISLNK(status.st_mode) else None
    except OSError as error:
        raise translated(error, path) from None
    finally:
        if folder is not None:
            os.close(folder)
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return Info(
        path,
        kinds.get(stat.S_IFMT(status.st_mode), "other"),
        status.st_size,
        stat.filemode(status.st_mode),
        _iso(status.st_mtime),
        _iso(status.st_ctime),
        _iso(status.st_atime),
        target,
    )


def tree(workspace: Workspace, path: str, depth: int, exclude: Sequence[str]) -> Tree:
    """A folder with what is in it, so many folders deep, without what matches one of the patterns."""
    start = workspace.locate(path)
    if not start.is_dir():
        raise Refusal("not_a_folder" if start.exists() else "not_found", f"`{path}` is not a folder")
    found = Tree(path)
    unwanted = [steps(pattern) for pattern in exclude]
    folders: dict[tuple[str, ...], list[Node]] = {(): found.children}
    count = 0
    try:
        for place, entry in workspace.walk(start, deep=depth > 1):
            names = place.relative_to(start).parts
            into = folders.get(names[:-1])
            if into is None or any(matches(pattern, names) for pattern in unwanted):
                continue
            count += 1
            if count > MOST_NODES:
                raise Enough
            is_folder = entry.is_dir(follow_symlinks=False)
            kind = "link" if entry.is_symlink() else "folder" if is_folder else "file" if entry.is_file() else "other"
            size = entry.stat(follow_symlinks=False).st_size if kind == "file" else 0
            node = Node(entry.name, kind, size, [] if is_folder else None)
            into.append(node)
            if node.children is not None and len(names) < depth:
                folders[names] = node.children
    except Enough:
        found.truncated = True
    return found


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
