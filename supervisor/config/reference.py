"""The tables of docs/reference/services-yaml.md, made from the table of keys.

`python -m supervisor.config.reference docs/reference/services-yaml.md` writes them into the page, each between the
lines `<!-- keys of NAME -->` and `<!-- end -->`.  `<!-- live keys -->` in cli.md begins the list of those that take
effect without a restart.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from supervisor.config.keys import mappings
from supervisor.config.keys.service import SERVICE
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import (
    Choice,
    Duration,
    Flag,
    Key,
    Kind,
    Named,
    Number,
    Section,
    Several,
    Shape,
    Signal,
    Size,
    Text,
    Whole,
)

_HEAD = "| key | type | default | meaning |\n|---|---|---|---|\n"
_TABLE = re.compile(r"(<!-- keys of ([\w.`]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
_LIVE = re.compile(r"(<!-- live keys -->).*?(?=<!-- end -->)")
_SHAPES = {
    Shape.COMMAND: "command",
    Shape.POOL: "pool",
    Shape.ENVIRONMENT: "variables",
    Shape.ENV_FILES: "path, or list",
    Shape.EXIT_CODES: "list of 0 to 255",
    Shape.NAMES: "list of names",
    Shape.PATTERNS: "path, or list",
    Shape.ADDRESSES: "address, or list",
    Shape.EXTENDS: "name, or mapping",
    Shape.DEPENDS_ON: "list, or mapping",
    Shape.HTTP: "path, or [mapping](#http)",
    Shape.HTTP_PATH: "path",
    Shape.HTTP_URL: "address",
    Shape.HEADERS: "mapping",
    Shape.STATUSES: "status, or list",
    Shape.PATH: "path",
    Shape.REGEX: "regular expression",
}
_MANY = 1_000_000  # from here on a limit is there to be one, not to be told


def sections() -> dict[str, Section]:
    """Every section of keys by the name of its table: the path of the keys that lead to it, without `services`."""
    found = dict(_inside(STACK, ""))
    for key in STACK.keys:
        if isinstance(key.kind, Named):
            found["service"] = key.kind.section
            found |= _inside(key.kind.section, "")
    apart = {"pool": mappings.POOL_OF_SIZE, "env_file": mappings.ENV_FILE, "extends": mappings.EXTENDS}
    return {"stack": STACK, **found, **apart, "http": mappings.HTTP}


def updated(page: str) -> str:
    """The page with every table as it is now; raises KeyError for the table of a section that there is not."""
    known = sections()
    live = ", ".join(f"`{key.name}`" for key in SERVICE.keys if key.is_live)
    return _LIVE.sub(rf"\1{live}", _TABLE.sub(lambda found: found[1] + table(known[found[2]]), page))


def table(section: Section) -> str:
    """The keys of a section as a table in Markdown."""
    return _HEAD + "".join(_row(key, section) for key in section.keys)


def _inside(section: Section, path: str) -> Iterator[tuple[str, Section]]:
    for key in section.keys:
        kind = key.kind.section if isinstance(key.kind, Several) else key.kind
        if isinstance(kind, Section):
            yield path + key.name, kind
            yield from _inside(kind, f"{path}{key.name}.")


def _row(key: Key, section: Section) -> str:
    default = f"`{key.default}`" if key.default else key.unset or "none"
    if key.required or (section.needs_one and section.one_of == (key.name,)):
        default = "required"
    elif not key.default and (isinstance(key.kind, Section) or key.name in section.one_of):
        default = ""
    meaning = " ".join(filter(None, (key.doc, key.more)))
    cells = [f"`{key.name}`", _type(key.kind), default, meaning]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells).replace("|  |", "| |") + " |\n"


def _type(kind: Kind) -> str:
    match kind:
        case Text(what=what):
            return what
        case Flag(only=None):
            return "`true` or `false`"
        case Flag(only=only):
            return f"`{str(only).lower()}`"
        case Whole(least=least, most=most, endless=word):
            numbers = f"{least} to {most}" if most < _MANY else f"{least} or more"
            return _or(numbers, word)
        case Number(least=least, most=most):
            return f"{least:g} to {most:g}"
        case Duration(endless=word):
            return _or("duration", word)
        case Size(endless=word):
            return _or("size", word)
        case Signal():
            return "signal"
        case Choice(words=words):
            return ", ".join(f"`{word}`" for word in words)
        case Shape():
            return _SHAPES[kind]
        case Named():
            return "mapping of names to services"
        case Several():
            return "list of mappings"
        case Section(short=short, words=words):
            inner = [_type(key.kind) for key in kind.keys if key.name == short] + [f"`{word}`" for word in words]
            return ", ".join([*inner, "or mapping"] if inner else ["mapping"])


def _or(what: str, word: str) -> str:
    return f"{what}, or `{word}`" if word else what


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(updated(file.read_text(encoding="utf-8")), encoding="utf-8")
