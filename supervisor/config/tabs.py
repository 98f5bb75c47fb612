"""Tabs in the indentation of a file, which YAML does not take."""

import re

from supervisor.config.tree import Position


def spaced(text: str, width: int) -> tuple[str, dict[int, int]]:
    """The text with spaces in the place of such tabs, and how much longer each line has become."""
    lines, further = [], {}
    for number, line in enumerate(text.split("\n"), 1):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        lines.append(indent.replace("\t", " " * width) + line[len(indent) :])
        further[number] = len(lines[-1]) - len(line)
    return "\n".join(lines), further


def near(text: str, place: Position) -> Position | None:
    """The tab in the indentation of the line of a mistake, or of the line before it."""
    lines = text.split("\n")
    for number in (place.line, place.line - 1):
        if 0 < number <= len(lines) and (found := re.match(r" *\t", lines[number - 1])):
            return Position(number, found.end())
    return None
