"""From where in the program each call was made, as the shim writes it down while calls are counted."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.faults.board import CALLS
from tests.faults.points import STEPS, Call

_TITLE = re.compile(r"^@ (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)
# What the child of a fork(2) begins with; what called these is its parent's.
CHILDREN = ("_become_daemon", "_be_a_child", "_become")
_PASSES_ON = ("<module>", "<lambda>")  # and never looks at what went wrong


def read(file: Path) -> Mapping[Call, Mapping[int, str]]:
    """The place of each call by its number, where it is known: the lines of portsup that led to it, innermost first.

    These are the lines of functions, from where the process began: what is read to import a module is of one place with
    whatever else the same `import` in a function reads.
    """
    found: dict[Call, dict[int, str]] = {}
    _, *parts = _TITLE.split(file.read_text(errors="replace"))
    for step, depth, call, number, trace in zip(*(iter(parts),) * 5, strict=True):
        if place := " ".join(_lines(trace)):
            found.setdefault((STEPS[int(step)], int(depth), CALLS[int(call)]), {})[int(number)] = place
    return found


def _lines(trace: str) -> Iterator[str]:
    for path, line, function in _FRAME.findall(trace):
        if "/supervisor/" not in path:
            continue
        if function not in _PASSES_ON:
            yield f"{path}:{line}"
        if function in CHILDREN:
            return
