"""Paths of a container that are others on this machine, and that nothing here can be put in the place of."""

import posixpath
import re

from supervisor.convert.around import Around, FileKind
from supervisor.convert.draft import Draft
from supervisor.convert.image import OfImage
from supervisor.convert.paths import is_of_files, of_volumes

MOST_VARIABLES = 200
MOST = 6  # of each kind that are told
_OF_FILES = (
    r"/(?:etc|usr|var|opt|srv|root|home|app|code|src|workspace|run/secrets)/[\w./-]*[\w-]"
    r"|/(?:data|config)(?:/[\w./-]*[\w-])?"
)
_NAMED = re.compile(rf"(?<![\w./:$}}-])(?:{_OF_FILES})(?![\w/-])", re.ASCII)
_WRITTEN = re.compile(rf"(?<![<>&])>>?\s*((?:{_OF_FILES})(?![\w/-]))", re.ASCII)


def tell(draft: Draft, given: dict[str, object], place: OfImage, around: Around) -> None:
    """Say of files and directories of the container what the program will not find here, or will write here."""
    _nested(draft, given, place, around)
    command = draft.fields["command"]
    text = command if isinstance(command, str) else " ".join(command)
    if isinstance(command, list) and command[1:2] == ["-c"]:
        for path in dict.fromkeys(_WRITTEN.findall(text)):
            why = "it wrote into its container, and would write to this machine"
            draft.leave(f"`> {path}` in its command", why, "give it a file of its own")
        text = _WRITTEN.sub("", text)
    for name, value in list(draft.environment.items())[:MOST_VARIABLES]:
        plain = value if isinstance(value, str) and re.fullmatch(_OF_FILES, value, re.ASCII) else ""
        if plain and is_of_files(name) and around.kind(plain) is FileKind.NOTHING:
            why = "it is a path of its container, and there is nothing on this machine"
            draft.leave(f"`{plain}` in the variable `{name}`", why, "write where it is here")
    told = [path for path in dict.fromkeys(_NAMED.findall(text)) if around.kind(path) is FileKind.NOTHING]
    for path in told[:MOST]:
        why = "it is a path of its container, and there is nothing on this machine"
        draft.leave(f"`{path}` in its command", why, "write where it is here")


def _nested(draft: Draft, given: dict[str, object], place: OfImage, around: Around) -> None:
    """Mounts, and copied directories, below another one: together in the container, and apart here."""
    mounted = dict(of_volumes(given.get("volumes"), around.variables()))
    found, own = 0, posixpath.normpath(place.working_dir or ".")
    for inside, here in dict(place.paths.pairs).items():
        above = [each for each, _ in place.paths.pairs if inside.startswith(each.rstrip("/") + "/")]
        kind = around.kind(here)
        if not above or kind is FileKind.NOTHING or (inside not in mounted and kind is not FileKind.FOLDER):
            continue
        outer = max(above, key=len)
        folder = next(path for each, path in reversed(place.paths.pairs) if each == outer)
        expected = posixpath.normpath(posixpath.join(folder, inside[len(outer) :].lstrip("/")))
        if posixpath.normpath(folder) == posixpath.normpath(here):
            continue  # `COPY common common/` is of a file or of a directory
        is_looked_for = f"{expected}/".startswith("" if own == "." else f"{own}/")
        is_apart = around.kind(expected) is FileKind.NOTHING and around.kind(folder) is FileKind.FOLDER
        if is_looked_for and is_apart and posixpath.isabs(here) == posixpath.isabs(expected) and found < MOST:
            found += 1
            link = posixpath.relpath(here, posixpath.dirname(expected) or ".")
            draft.notes.append(
                f"`{here}` was at `{inside}` in its container, which is `{expected}` here, where nothing is:"
                f" `ln -s {link} {expected}`"
            )
