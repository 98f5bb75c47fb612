"""Tables, colours and durations as people read them; nothing here knows what a service is."""

import os
import sys
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36", "dim": "2"}
_GAP = "  "


def wants_color(choice: str, stream: "TextIO | None") -> bool:
    """Whether `stream` gets colours: `--color` decides, else a terminal without NO_COLOR and not a dumb one."""
    if choice in ("always", "never"):
        return choice == "always"
    if os.environ.get("NO_COLOR") or is_dumb():
        return False
    return is_terminal(stream)


def is_terminal(stream: "TextIO | None") -> bool:
    """Whether somebody looks at `stream` directly."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def is_dumb() -> bool:
    """Whether the terminal can do nothing but print lines, such as a shell within Emacs."""
    return os.environ.get("TERM") == "dumb"


def paint(text: str, color: str, enabled: bool) -> str:
    """`text` in a colour, or as it is."""
    return f"\x1b[{_CODES[color]}m{text}\x1b[0m" if enabled and color else text


def width_of(stream: "TextIO | None") -> int | None:
    """Columns of the terminal behind `stream`; None when it is no terminal and lines may be as long as they are."""
    return size_of(stream)[0] if is_terminal(stream) else None


def size_of(stream: "TextIO | None") -> tuple[int, int]:
    """Columns and lines of the terminal behind `stream`; 80 by 24 when it does not say."""
    try:
        columns, lines = os.get_terminal_size((stream or sys.__stdout__).fileno())  # type: ignore[union-attr]
    except (OSError, ValueError, AttributeError):
        columns, lines = 0, 0
    return columns or 80, lines or 24


def duration(seconds: float | None) -> str:
    """How long, in at most two units: `7s`, `2m05s`, `3h20m`, `4d06h`."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d{hour:02}h"
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minutes}m{second:02}s" if minutes else f"{second}s"


def size(count: float | None) -> str:
    """Bytes in the largest unit of which there is at least one: `812K`, `25.3M`, `1.2G`."""
    if count is None:
        return "-"
    kilobytes = count / 1024
    if kilobytes < 1000:
        return f"{kilobytes:.0f}K"
    megabytes = kilobytes / 1024
    return f"{megabytes:.1f}M" if megabytes < 1000 else f"{megabytes / 1024:.1f}G"


def printable(value: object) -> str:
    """One cell of a table: no control characters, and `-` where there is nothing."""
    text = "-" if value is None or value == "" else str(value)
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    paints: Mapping[tuple[str, str], str] | None = None,
    color: bool = False,
    width: int | None = None,
    optional: Sequence[str] = (),
) -> list[str]:
    """The lines of a table under its heading.

    `numbers` are columns set flush right; `paints` maps (column, cell) to a colour; columns of `optional` are left
    out, the first one first, while the table is wider than `width`, and what is still too long is cut with `~`.
    """
    cells = [list(columns), *([printable(cell) for cell in row] for row in rows)]
    shown = list(range(len(columns)))
    widths = [max(len(line[index]) for line in cells) for index in shown]
    spare = [columns.index(name) for name in optional if name in columns]
    while width and spare and _total(widths, shown) > width:
        shown.remove(spare.pop(0))
    lines = []
    for line in cells:
        parts = []
        for index in shown:
            cell = line[index]
            last = index == shown[-1]
            padding = " " * (widths[index] - len(cell))
            style = (paints or {}).get((columns[index], cell), "") if line is not cells[0] else ""
            painted = paint(cell, style, color)
            if columns[index] in numbers:
                parts.append(padding + painted)
            else:
                parts.append(painted if last else painted + padding)
        text = _GAP.join(parts)
        if width and _total(widths, shown) > width:
            text = _cut(_GAP.join(line[index].ljust(widths[index]) for index in shown).rstrip(), width)
        lines.append(text)
    return lines


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[index] for index in shown) + len(_GAP) * (len(shown) - 1)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "~"


def json_line(record: Mapping[str, object]) -> str:
    """One object of JSON Lines, ASCII only so that any locale can carry it."""
    import json

    return json.dumps(record, separators=(", ", ": "))
