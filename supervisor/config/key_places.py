"""Where the keys of a stack stand: `services.api.pool` is line 12 of which file."""

from collections.abc import Iterable
from pathlib import Path

from supervisor.config.parse import parse
from supervisor.config.report import Report, Unreadable
from supervisor.config.tree import Mapping, Node

DEPTH = 3  # services, a service, its key


def places(files: Iterable[Path]) -> dict[str, tuple[str, int]]:
    """By key, with dots, the file and the line where it stands; of several files, laid over one another, the last one.

    What cannot be read is left out.
    """
    found: dict[str, tuple[str, int]] = {}
    for file in files:
        try:
            tree = parse(file.read_text(encoding="utf-8"), Report(str(file)))
        except (OSError, ValueError, Unreadable):
            continue
        _note(tree, "", str(file), found)
    return found


def _note(node: Node | None, path: str, file: str, found: dict[str, tuple[str, int]]) -> None:
    if not isinstance(node, Mapping) or path.count(".") >= DEPTH:
        return
    for entry in node:
        key = f"{path}.{entry.key.text}" if path else entry.key.text
        found[key] = (file, entry.key.place.line)
        _note(entry.value, key, file, found)
