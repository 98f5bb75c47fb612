"""Changes to the workspace beside writing a file: edits, moves, deletions and new folders."""

import difflib
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.mcp_universal.workspace import MOST_READ, Refusal, Workspace, translated


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that is in a file once, and what comes in its place."""

    old_text: str
    new_text: str


def edited(text: str, edits: Sequence[Edit], path: str) -> str:
    """`text` after the edits, one after the other; a Refusal that names the one that does not fit."""
    for number, edit in enumerate(edits, 1):
        where = f"edit {number} of `{path}`"
        if not edit.old_text:
            raise Refusal("bad_request", f"{where}: `old_text` is empty")
        count = text.count(edit.old_text)
        if count == 1:
            text = text.replace(edit.old_text, edit.new_text)
        elif count:
            raise Refusal("ambiguous", f"{where}: `old_text` is there {count} times; add lines around it")
        else:
            text = _edited_by_lines(text, edit, where)
    return text


def _edited_by_lines(text: str, edit: Edit, where: str) -> str:
    """The same where only the indentation and blanks at the ends of lines differ: models often get those wrong."""
    lines, old = text.split("\n"), edit.old_text.strip("\n").split("\n")
    wanted = [line.strip() for line in old]
    found = [
        at for at in range(len(lines) - len(old) + 1) if [line.strip() for line in lines[at : at + len(old)]] == wanted
    ]
    if not found or not any(wanted):
        raise Refusal("not_found", f"{where}: `old_text` is not in the file")
    if len(found) > 1:
        raise Refusal("ambiguous", f"{where}: `old_text` is there {len(found)} times; add lines around it")
    there, meant = _indent(lines[found[0]]), _indent(old[0])
    new = edit.new_text.strip("\n").split("\n")
    new = [there + line.removeprefix(meant) if line.strip() else line for line in new]
    return "\n".join([*lines[: found[0]], *new, *lines[found[0] + len(old) :]])


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


class Changes:
    """Makes them in one workspace. Links are moved and deleted themselves, and never followed out of it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def edit(self, path: str, edits: Sequence[Edit], *, dry_run: bool) -> str:
        """Edits a text file of UTF-8; what changed, as a unified diff. With `dry_run` the file stays as it is."""
        data, size = self._workspace.read(path, 0, MOST_READ)
        if size > len(data):
            raise Refusal("too_large", f"`{path}` has {size} bytes; {MOST_READ} can be edited")
        try:
            before = data.decode()
        except UnicodeDecodeError:
            raise Refusal("not_text", f"`{path}` is not text in UTF-8") from None
        # As the file has them, whatever the caller sends: a program on Windows may have written it.
        ends = "\r\n" if "\r\n" in before else "\n"
        after = edited(before.replace("\r\n", "\n"), edits, path).replace("\n", ends)
        if not dry_run and after != before:
            self._workspace.write(path, after.encode("utf-8", "surrogatepass"), False)
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        return "".join(_with_ends(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")))

    def move(self, source: str, destination: str) -> None:
        """Renames a file, folder or link, also into another folder; what is there already is never replaced."""
        old, new = self._workspace.locate_itself(source), self._workspace.locate_itself(destination)
        if new.is_relative_to(old) and new != old:
            raise Refusal("bad_path", f"`{source}` cannot be moved into itself")
        with self._folder(old, source) as (folder, name), self._folder(new, destination) as (into, other):
            _stat(folder, name, source)
            try:
                _stat(into, other, destination)
            except Refusal as refusal:
                if refusal.code != "not_found":
                    raise
            else:
                raise Refusal("exists", f"`{destination}` is there already")
            try:
                os.rename(name, other, src_dir_fd=folder, dst_dir_fd=into)
            except OSError as error:
                raise translated(error, destination) from None

    def delete(self, path: str, *, recursive: bool) -> str:
        """Deletes a file, a link, or a folder, which has to be empty unless `recursive`; says which it was."""
        place = self._workspace.locate_itself(path)
        with self._folder(place, path) as (folder, name):
            mode = _stat(folder, name, path)
            try:
                if not stat.S_ISDIR(mode):
                    os.unlink(name, dir_fd=folder)
                    return "link" if stat.S_ISLNK(mode) else "file" if stat.S_ISREG(mode) else "other"
                if recursive:
                    shutil.rmtree(name, dir_fd=folder)  # looks at nothing behind a link, whatever happens meanwhile
                else:
                    os.rmdir(name, dir_fd=folder)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    raise Refusal("not_empty", f"`{path}` is a folder with something in it: `recursive`") from None
                raise translated(error, path) from None
        return "folder"

    def make_folder(self, path: str) -> bool:
        """Makes a folder, and those before it; says whether it is new."""
        place = self._workspace.locate(path)
        is_new = not place.exists()
        folder = self._workspace._open_folder(place, path, make=True)
        if folder is not None:
            os.close(folder)
        return is_new

    @contextmanager
    def _folder(self, place: Path, path: str) -> Iterator[tuple[int | None, str]]:
        """The folder that `place` is in, opened, and how to name `place` from there."""
        folder = self._workspace._open_folder(place.parent, path)
        try:
            yield folder, str(place) if folder is None else place.name
        finally:
            if folder is not None:
                os.close(folder)


def _stat(folder: int | None, name: str, path: str) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError as error:
        raise translated(error, path) from None


def _with_ends(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
