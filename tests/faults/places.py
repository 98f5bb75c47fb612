"""From where in the program each call was made, as the shim writes it down while calls are counted."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.faults.board import CALLS
from tests.faults.points import STEPS, Call

_TITLE = re.compile(r"^@ (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)


def read(file: Path) -> Mapping[Call, Mapping[int, str]]:
    """The place of each call by its number, where it is known: the lines of portsup that led to it, innermost first.

    What is read to import a module is of one place with whatever else the same `import` reads.
    """
    found: dict[Call, dict[int, str]] = {}
    _, *parts = _TITLE.split(file.read_text(errors="replace"))
    for step, depth, call, number, trace in zip(*(iter(parts),) * 5, strict=True):
        name = CALLS[int(call)]
        frames = [f"{path}:{line}" for path, line in _FRAME.findall(trace) if "/supervisor/" in path]
        if frames:
            found.setdefault((STEPS[int(step)], int(depth), name), {})[int(number)] = " ".join(frames)
    return found
