"""The table of docs/reference/exports.md, made from the table of fates.

`python -m supervisor.export.reference docs/reference/exports.md` writes it into the page, between the lines
`<!-- keys -->` and `<!-- end -->`.
"""

import re
import sys
from pathlib import Path

from supervisor.export.model import Target
from supervisor.export.table.fates import Cell
from supervisor.export.table.rows import ROWS

_HEAD = f"| key | {' | '.join(Target)} |\n|---|{'---|' * len(Target)}\n"
_TABLE = re.compile(r"(<!-- keys -->\n).*?(?=<!-- end -->)", re.DOTALL)


def updated(page: str) -> str:
    """The page with the table as it is now."""
    return _TABLE.sub(lambda found: found[1] + table(), page)


def table() -> str:
    """The table: a line for each row, `kept` alone where nothing has to be said."""
    lines = []
    for row in ROWS:
        keys = ", ".join(f"`{key}`" for key in row.keys)
        lines.append(f"| {keys} | {' | '.join(_cell(row.of(target)) for target in Target)} |\n")
    return _HEAD + "".join(lines)


def _cell(cell: Cell) -> str:
    return f"{cell.fate}: {cell.why}" if cell.why else str(cell.fate)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
