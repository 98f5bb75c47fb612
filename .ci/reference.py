"""Writes those parts of docs/reference that are made from the code: the events, and the JSON Schemas.

`python .ci/reference.py` writes the files; tests/test_reference.py fails while they say something else.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path

from supervisor.control import schema as of_lines
from supervisor.control.progress import Reason
from supervisor.control.requests import REQUESTS
from supervisor.core import journal, reasons

FOLDER = Path(__file__).parents[1] / "docs/reference"
_REASONS = "| kind | meaning | what belongs to it |\n|---|---|---|\n"
_HEAD = "| event | level | facts |\n|---|---|---|\n"


def table(kinds: Iterable[type[journal.Event]]) -> str:
    """The rows about these events."""
    return "".join(f"| `{each.event}` | {each.level} | {(each.__doc__ or '').strip()} |\n" for each in kinds)


def reason_table() -> str:
    """The rows about reasons."""
    rows = []
    for each in reasons.Reason.__subclasses__():
        about = " ".join((each.__doc__ or "").split())
        told = ", ".join(f"`{name}`" for name in each.types())
        rows.append(f"| `{each.kind_of()}` | {about} | {told} |\n")
    return "".join(rows)


def events(page: str) -> str:
    """The page of events with the tables of the catalogue."""
    left_out = (journal.EventsLeftOut,)
    tables = [
        table(each for each in journal.OF_SERVICES if each not in left_out),
        table(left_out),
        table(journal.OF_INSTANCES),
    ]
    page = re.sub(re.escape(_REASONS) + r"(?:\|.*\n)*", lambda _: _REASONS + reason_table(), page)
    return re.sub(re.escape(_HEAD) + r"(?:\|.*\n)*", lambda _: _HEAD + tables.pop(0), page)


def lines(page: str) -> str:
    """The page of the control protocol with a table for each object of an answer."""
    objects: dict[str, type] = {}
    for request in REQUESTS.values():
        _collect(request.answer, objects)
    _collect(Reason, objects)
    told = "\n".join(_object(each) for each in objects.values())
    return re.sub(r"(?<=\n<!-- objects -->\n).*(?=\n<!-- end of objects -->\n)", lambda _: told, page, flags=re.DOTALL)


def _collect(message: type, objects: dict[str, type]) -> None:
    if message.__name__ not in objects:
        objects[message.__name__] = message
        for each in fields(message):
            for inner in _messages_in(each.type):
                _collect(inner, objects)


def _messages_in(kind: object) -> list[type]:
    if isinstance(kind, type) and is_dataclass(kind):
        return [kind]
    return [found for each in getattr(kind, "__args__", ()) for found in _messages_in(each)]


def _object(message: type) -> str:
    about = of_lines.told(message)
    rows = [f"| `{name}` | {about[name]} |" for name in (each.name for each in fields(message)) if name in about]
    first = (message.__doc__ or "").partition("\n")[0]
    return "\n".join([f"### `{message.__name__}`", "", first, "", "| key | meaning |", "|---|---|", *rows, ""])


def made() -> dict[Path, str]:
    """Every file, and what has to be in it."""
    page = FOLDER / "events.md"
    schemas = {
        "events": of_lines.events(),
        "control": of_lines.control(),
    }
    found = {FOLDER / f"{name}.schema.json": json.dumps(each, indent=2) + "\n" for name, each in schemas.items()}
    found[page] = events(page.read_text(encoding="utf-8"))
    page = FOLDER / "control-protocol.md"
    found[page] = lines(page.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")
