"""What is said of a text that is no YAML, in place of the words of the library that reads it."""

import re

from supervisor.config import tabs
from supervisor.config.report import Report
from supervisor.config.tree import Position

TYPE_CHECKING = False
if TYPE_CHECKING:
    import yaml

_HINTS = {
    "mapping values are not allowed": "put a text that contains `: ` in quotes, or check the indentation",
    "could not find expected ':'": "a key needs `:` after it; a text over several lines needs quotes or `|`",
    "did not find expected key": "check the indentation of this line and the one before",
    "did not find expected ',' or": "close the bracket, or separate the items with commas",
    "did not find expected '-'": "items of one list start with `-` in the same column",
    "did not find expected whitespace or line break": "put a space behind the tag",
    "unexpected end of stream": "close them",
    "unknown escape character": "between double quotes `\\` begins an escape: use single quotes",
    "hexdecimal number": "between double quotes `\\` begins an escape: use single quotes",
    "expected <document start>": "something ends here that should go on: check the quotes and the indentation",
}


def report_on(error: "yaml.MarkedYAMLError", text: str, report: Report) -> bool:
    """Tell what is wrong; gives whether it is a tab."""
    mark = error.problem_mark or error.context_mark
    place = Position(mark.line + 1, mark.column + 1) if mark else Position()
    tab = tabs.near(text, place)
    if tab:
        report.error(tab, "tab in the indentation, YAML wants spaces", "replace each tab with two spaces")
        return True
    problem = str(error.problem or "unknown mistake")
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
    lines = text.splitlines()
    character = lines[place.line - 1][place.column - 1 : place.column] if 0 < place.line <= len(lines) else ""
    begun = error.context_mark
    if "mapping values are not allowed" in problem and (bare := _bare_key(lines, place.line)):
        hint = f"end line {bare} with `:`"
    if "cannot start any token" in problem and character:
        problem = f"a value cannot start with {report.quote(character)}"
        hint = "put it in quotes"
    elif "end of stream" in problem and begun:
        place, problem = Position(begun.line + 1, begun.column + 1), "these quotes are never closed"
    elif error.context and begun:
        if "flow" in error.context and "{" in lines[min(place.line, len(lines)) - 1]:
            hint = "inside `[…]` and `{…}` a value with a brace, such as `${VAR}`, needs quotes"
        problem = f"{problem} {error.context} that begins in line {begun.line + 1}, column {begun.column + 1}"
    report.error(place, f"cannot be read as YAML: {problem}", hint)
    return False


def _bare_key(lines: list[str], at: int) -> int:
    """The number of the line before, if it is a name that a block belongs to and lacks its `:`; else 0."""
    if not 1 < at <= len(lines):
        return 0
    before, line = lines[at - 2], lines[at - 1]
    is_deeper = len(line) - len(line.lstrip()) > len(before) - len(before.lstrip())
    return at - 1 if is_deeper and re.fullmatch(r"\s*[\w.-]+\s*", before) else 0
