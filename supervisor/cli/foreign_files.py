"""The files of other supervisors that `init` converts: how they are read, and where the paths in them begin."""

import os
import re
import stat
import sys
from pathlib import Path

from supervisor.cli.complaint import warn
from supervisor.cli.config_files import current_directory
from supervisor.config.names import shown
from supervisor.errors import PortsupError
from supervisor.files.content import read, read_open
from supervisor.files.opening import Refused, why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.convert.draft import Outcome

LARGEST = 1024 * 1024  # bytes of a file to convert


def converted(here: Path, sources: list[str], kind: str | None, evaluate: bool) -> "tuple[Outcome, list[str], Path]":
    """What the files come to, what to say of it at the top, and the directory that its paths are relative to.

    Raises PortsupError where one cannot be read or converted.
    """
    from supervisor.cli.surroundings import around
    from supervisor.convert.recognise import IN_THEIR_FOLDER, convert, kind_of

    source, *others = sources if len(sources) > 1 else with_override(here, sources[0])
    text = read_text(here / source, waits=True) if source != "-" else _of_stdin()
    if evaluate:
        from supervisor.cli.javascript import evaluated

        if re.search(r"process\.env|\brequire\b|\bimport\b", text):
            warn(f"what `{source}` reads from the environment is written as it is now: move secrets to `.env`")
        text, kind = evaluated(here / source, here), "pm2"
    kind = kind or kind_of(source, text)
    outcome = convert(kind, source, text, [(each, read_text(here / each)) for each in others], around(here, read_text))
    folder = (here / source).parent
    base = folder if source != "-" and kind in IN_THEIR_FOLDER else here
    if source != "-" and kind != "mcp.json" and base != folder:
        warn(f"relative paths in `{source}` are taken for those of this directory, as if {kind} were started here")
    of = shown((source, *others))
    return outcome, [f"Made by `portsup init` from {of}. Comments say what it could not carry over."], base


def with_override(here: Path, source: str) -> list[str]:
    """The file, and the one beside it that its program lays over it by itself."""
    stem, _, ending = Path(source).name.rpartition(".")
    if stem in ("compose", "docker-compose", "process-compose") and ending in ("yml", "yaml"):
        for name in (f"{stem}.override.yml", f"{stem}.override.yaml"):
            if (here / source).with_name(name).is_file():
                return [source, os.path.join(os.path.dirname(source), name)]
    return [source]


def read_text(path: Path, waits: bool = False) -> str:
    """The text of a file; `waits`: it was asked for, so it may be a pipe that somebody is still writing to."""
    try:
        if waits and stat.S_ISFIFO(os.stat(path).st_mode):
            with open(path, "rb", buffering=0) as pipe:
                content = read_open(pipe.fileno(), LARGEST, path)
        else:
            content = read(path, LARGEST, follow=True)
    except (OSError, ValueError) as error:
        hint = "check that it is the right file" if isinstance(error, Refused) else "check the path"
        raise PortsupError(f"cannot read `{shown_path(path)}`", why(error), hint) from error
    return content.decode("utf-8-sig", "replace")


def _of_stdin() -> str:
    try:
        return read_open(sys.stdin.fileno(), LARGEST, "-").decode("utf-8-sig", "replace")
    except (OSError, ValueError) as error:
        raise PortsupError("cannot read the input", why(error), "check that it is the right one") from error


def shown_path(path: Path) -> str:
    """A path as a person would write it here."""
    relative = os.path.relpath(path, current_directory())
    return str(path) if relative.startswith("..") else relative
