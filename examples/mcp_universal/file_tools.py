"""The tools of MCP Universal for the files of its folder."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from examples.mcp_universal import ripgrep
from examples.mcp_universal.changes import Changes, Edit
from examples.mcp_universal.sandbox import Sandbox
from examples.mcp_universal.tree import Info, Tree, info, tree
from examples.mcp_universal.workspace import MOST_READ, Entry, Match, Refusal, Workspace
from examples.web import ServiceError

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
EDITS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)
MAKES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

READ = 65536  # bytes that are read of a file when nobody says how many
T = TypeVar("T")
Limit = Annotated[int, Field(ge=1, le=1000)]


@dataclass
class Listing:
    entries: list[Entry]
    truncated: bool


@dataclass
class FileContent:
    path: str
    size: int
    offset: int
    next_offset: int | None  # None at the end of the file
    encoding: Literal["utf-8", "base64"]
    content: str


@dataclass
class Written:
    path: str
    bytes: int
    created: bool


@dataclass
class ReadOrTold:
    """`content` is None where `error` says why."""

    path: str
    content: FileContent | None
    error: str


@dataclass
class Files:
    files: list[ReadOrTold]


@dataclass
class Edited:
    path: str
    diff: str
    written: bool


@dataclass
class Moved:
    source: str
    destination: str


@dataclass
class Deleted:
    path: str
    kind: str


@dataclass
class Made:
    path: str
    created: bool


@dataclass
class Found:
    matches: list[Match]
    truncated: bool


def offer(server: MCPServer, workspace: Workspace, sandbox: Sandbox, demand: Callable[[str], None]) -> None:
    """Adds them; `demand` raises a ToolError where what changes files is off."""
    changes = Changes(workspace)

    @server.tool(annotations=READS)
    def list_files(path: str = ".", glob: str = "*", limit: Limit = 200) -> Listing:
        """List files and folders; `**/` in the glob goes into folders, as in `**/*.py`."""
        return Listing(*_or_error(lambda: workspace.entries(path, glob, limit)))

    @server.tool(annotations=READS)
    def read_file(
        path: str,
        offset: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=1, le=MOST_READ)] = READ,
    ) -> FileContent:
        """Read `limit` bytes of a file from `offset`; what is not UTF-8 comes as base64."""
        return _or_error(lambda: _content(workspace, path, offset, limit))

    @server.tool(annotations=WRITES)
    def write_file(path: str, content: str, create_dirs: bool = False) -> Written:
        """Write a text file as a whole, replacing what was there."""
        demand("writing")
        data = content.encode("utf-8", "surrogatepass")
        return Written(path, len(data), _or_error(lambda: workspace.write(path, data, create_dirs)))

    @server.tool(annotations=READS)
    def read_multiple_files(paths: Annotated[list[str], Field(min_length=1, max_length=50)]) -> Files:
        """Read several files at once, each up to 64 KiB; one that cannot be read has an error in its place."""
        return Files([_read_or_told(workspace, path) for path in paths])

    @server.tool(annotations=READS)
    def get_file_info(path: str) -> Info:
        """Kind, size, times and permissions of a file, folder or link."""
        return _or_error(lambda: info(workspace, path))

    @server.tool(annotations=READS)
    def directory_tree(
        path: str = ".",
        depth: Annotated[int, Field(ge=1, le=50)] = 10,
        exclude: Annotated[list[str] | None, Field(max_length=100)] = None,
    ) -> Tree:
        """A folder with everything below it, without what matches one of the globs, such as `**/node_modules`."""
        return _or_error(lambda: tree(workspace, path, depth, exclude or ()))

    @server.tool(annotations=EDITS)
    def edit_file(
        path: str, edits: Annotated[list[Edit], Field(min_length=1, max_length=100)], dry_run: bool = False
    ) -> Edited:
        """Replace texts in a file, each of which has to be there once, and get a diff; `dry_run` only shows it."""
        demand("writing")
        return Edited(path, _or_error(lambda: changes.edit(path, edits, dry_run=dry_run)), not dry_run)

    @server.tool(annotations=EDITS)
    def move_file(source: str, destination: str) -> Moved:
        """Rename a file or folder, or move it; fails when the destination is there already."""
        demand("writing")
        _or_error(lambda: changes.move(source, destination))
        return Moved(source, destination)

    @server.tool(annotations=EDITS)
    def delete_file(path: str, recursive: bool = False) -> Deleted:
        """Delete a file, a link or an empty folder; with `recursive` a folder with all that is in it."""
        demand("writing")
        return Deleted(path, _or_error(lambda: changes.delete(path, recursive=recursive)))

    @server.tool(annotations=MAKES)
    def create_directory(path: str) -> Made:
        """Make a folder, and those before it where they are missing; one that is there already is no error."""
        demand("writing")
        return Made(path, _or_error(lambda: changes.make_folder(path)))

    @server.tool(annotations=READS)
    async def search_files(
        text: str, glob: str = "**/*", limit: Limit = 100, regex: bool = False, ignore_case: bool = False
    ) -> Found:
        """Find lines with a text, or with `regex` lines that match an expression, in the files that match the glob."""
        if text and len(glob) <= 200 and "\0" not in text + glob and ripgrep.is_installed():
            with suppress(ServiceError):  # the sandbox is busy or missing: without it, more slowly
                try:
                    found = await ripgrep.search(sandbox, text, glob, limit, regex=regex, any_case=ignore_case)
                    return Found(*found)
                except Refusal as refusal:
                    raise ToolError(str(refusal)) from None
        if regex:
            raise ToolError("ripgrep_unavailable: `regex` needs ripgrep (Debian: apt install ripgrep) and the sandbox")
        return Found(*await asyncio.to_thread(_or_error, lambda: workspace.search(text, glob, limit, ignore_case)))


def _content(workspace: Workspace, path: str, offset: int, limit: int) -> FileContent:
    data, size = workspace.read(path, offset, limit)
    text, data = decoded(data, at_end=offset + len(data) >= size)
    end = offset + len(data)
    following = end if end < size and data else None
    if text is None:
        return FileContent(path, size, offset, following, "base64", base64.b64encode(data).decode())
    return FileContent(path, size, offset, following, "utf-8", text)


def _read_or_told(workspace: Workspace, path: str) -> ReadOrTold:
    try:
        return ReadOrTold(path, _content(workspace, path, 0, READ), "")
    except Refusal as refusal:
        return ReadOrTold(path, None, str(refusal))


def _or_error(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except Refusal as refusal:
        raise ToolError(str(refusal)) from None


def decoded(data: bytes, *, at_end: bool) -> tuple[str | None, bytes]:
    """The text of `data`, without a character cut in two at its end, and the bytes that it stands for."""
    try:
        return data.decode(), data
    except UnicodeDecodeError as error:
        if not at_end and error.reason == "unexpected end of data" and error.start > 0:
            return data[: error.start].decode(), data[: error.start]
        return None, data
