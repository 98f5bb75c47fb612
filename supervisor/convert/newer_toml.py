"""TOML 1.1 for a reader of TOML 1.0: inline tables may go over several lines, and end with a comma."""

import re
import tomllib
from typing import Any

# Strings, comments and brackets, in the order in which they have to be looked for; all else is of no matter.
_PART = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[][{}]|\n|,(?=[\s#}])', re.DOTALL
)


def read(text: str) -> dict[str, Any]:
    """The data of a file; raises tomllib.TOMLDecodeError where it is neither of the two."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        changed = _on_one_line(text.replace("\r\n", "\n"))
        if changed == text:
            raise
        return tomllib.loads(changed)


def _on_one_line(text: str) -> str:
    """The text with every inline table on one line, and without a comma at its end."""
    parts: list[str] = []
    open_ones: list[str] = []
    comma, at = -1, 0
    for match in _PART.finditer(text):
        between, part = text[at : match.start()], match[0]
        at = match.end()
        if between.strip():
            comma = -1
        parts.append(between)
        in_table = "{" in open_ones
        if part in "[{":
            open_ones.append(part)
        elif part in "]}" and open_ones:
            open_ones.pop()
            if part == "}" and comma >= 0:
                parts[comma] = ""
        if in_table and (part == "\n" or part.startswith("#")):
            parts.append(" ")
            continue
        comma = len(parts) if part == "," and open_ones[-1:] == ["{"] else -1
        parts.append(part)
    return "".join((*parts, text[at:]))
