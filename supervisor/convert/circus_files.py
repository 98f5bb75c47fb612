"""The files of Circus: the sections of all of them, and which variables are for which watcher."""

import configparser
import os.path
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from supervisor.convert.around import Around
from supervisor.convert.draft import Left
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError

Sections = dict[str, dict[str, str]]


@dataclass(slots=True)
class Files:
    """The sections by what is in their brackets, and what could not be read."""

    sections: Sections = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def of(self, kind: str) -> Iterable[tuple[str, dict[str, str]]]:
        """The sections `[kind:NAME]`, as names and keys."""
        for title, keys in self.sections.items():
            before, colon, name = title.partition(":")
            if colon and before.strip() == kind and name.strip() and keys:
                yield name.strip(), keys

    def variables(self, watcher: str) -> Mapping[str, str]:
        """Those of `[env]`, and of each `[env:PATTERN,…]` that means this watcher."""
        found = dict(self.sections.get("env", {}))
        for patterns, keys in self.of("env"):
            if any(fnmatchcase(watcher, pattern.strip()) for pattern in patterns.split(",")):
                found |= keys
        return found


def gathered(text: str, more: Iterable[tuple[str, str]], around: Around) -> Files:
    """The sections of a file, of those that it includes, and of `more` (pairs of a path and a text).

    Raises PortsupError where one that is named by the user cannot be read.
    """
    files = Files()
    for each in (text, *(other for _, other in more)):
        _add(files.sections, _sections(each))
    top = files.sections.get("circus", {})
    patterns = top.get("include", "").split()
    patterns += [os.path.join(folder, "*.ini") for folder in top.get("include_dir", "").split()]
    for pattern in patterns:
        found = around.found(pattern)
        if not found:
            files.left.append(Left(f"the include of `{pattern}`", "there is no such file", "see where it is"))
        for path in found:
            try:
                _add(files.sections, _sections(around.read(path)))
            except PortsupError as error:
                files.left.append(Left(f"the include of `{path}`", error.why or str(error), "convert it by itself"))
    return files


def _add(known: Sections, more: Sections) -> None:
    for title, keys in more.items():
        known[title] = {**known.get(title, {}), **keys}


def _sections(text: str) -> Sections:
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";",), allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except (configparser.Error, AttributeError) as error:  # the latter for a line that goes on from a key without `=`
        raise PortsupError("cannot read the file of Circus", " ".join(str(error).split())[:200]) from error
    return {title: {key: value or "" for key, value in parser.items(title)} for title in parser.sections()}
