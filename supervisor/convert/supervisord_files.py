"""The files of supervisord: sections of `[include]`d ones too, each with the folder that `%(here)s` means in it."""

import configparser
import os.path
import re

from supervisor.convert.around import Around
from supervisor.convert.draft import Left
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError

_HERE = re.compile(r"%\(here\)s")
_VARIABLE = re.compile(r"%\(\w+\)[sd]")


@dataclass(slots=True)
class Section:
    """One section: what is in its brackets, its keys, and the folder of its file."""

    name: str
    keys: dict[str, str]
    here: str
    group: str = ""  # that a program is in


@dataclass(slots=True)
class Files:
    """The sections of all files, and what of them could not be read."""

    sections: list[Section] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def gathered(text: str, more: list[tuple[str, str]], around: Around, folder: str = "") -> Files:
    """The sections of a file in `folder`, of those that it includes, and of `more` (pairs of a path and a text).

    Raises PortsupError where the first file cannot be read.
    """
    files = Files(_sections(text, folder))
    for name, other in more:
        files.sections += _sections(other, os.path.dirname(name))
    for section in list(files.sections):
        if section.name == "include":
            _include(files, section, around)
    return files


def _include(files: Files, section: Section, around: Around) -> None:
    for told in section.keys.get("files", "").split():
        pattern = _HERE.sub(section.here or ".", told)
        what = f"`[include]` of `{told}`"
        if _VARIABLE.search(pattern):
            files.left.append(Left(what, "a variable has its name", "name the files: `--from ONE --from OTHER`"))
            continue
        found = around.found(os.path.join(section.here, pattern))
        if not found:
            files.left.append(Left(what, "there is no such file", "see whether it is on another machine"))
        for path in found:
            try:
                files.sections += _sections(around.read(path), os.path.dirname(path))
            except PortsupError as error:
                files.left.append(Left(f"`[include]` of `{path}`", error.why or str(error), "convert it by itself"))


def _sections(text: str, here: str) -> list[Section]:
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"), allow_no_value=True)
    try:
        parser.read_string(text.replace("\0", ""))
    except (configparser.Error, AttributeError) as error:
        # The latter, until Python 3.13, for a line that goes on from a key without `=`.
        since = getattr(configparser, "MultilineContinuationError", AttributeError)
        has_no_key = isinstance(error, AttributeError | since)
        why = "a line belongs to no key" if has_no_key else " ".join(str(error).split())[:200]
        raise PortsupError("cannot read the file of supervisord", why) from error
    return [Section(name, {key: value or "" for key, value in parser.items(name)}, here) for name in parser.sections()]
