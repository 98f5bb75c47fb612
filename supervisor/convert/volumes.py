"""Directories that Compose makes for a container: volumes with a name, and mounted ones that are not there yet.

A volume becomes a directory next to services.yaml, one for all services that mount it, made before each of them starts.
What the image has at its place is not in it.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from supervisor.config import interpolate, placeholders
from supervisor.config.scalars import tidy_name
from supervisor.convert import server_scripts
from supervisor.convert.around import Around, FileKind
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.paths import Paths, of_variable, of_volumes, relative
from supervisor.convert.values import mapping

_NAMED = re.compile(r"(?P<name>[\w][\w.-]*):(?P<inside>/[^:]*)", re.ASCII)
_INSTANCE = "{instance}"


def bound(volumes: object, top: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The mounts that are directories of this machine by the options of their volume, as the short form has them."""
    found = []
    for name, inside in _named(volumes):
        options = mapping(mapping(mapping(top.get("volumes")).get(name)).get("driver_opts"))
        device = re.sub(r"^\$\{?PWD\}?(?=/|$)", ".", str(options.get("device") or ""))
        if "bind" in str(options.get("o") or "").split(",") and device and "$" not in device:
            found.append((inside, device if device.startswith(("/", "~", ".")) else f"./{device}"))
    return found


def carry(draft: Draft, given: dict[str, Any], top: Mapping[str, Any], folder: str, around: Around) -> None:
    """Write the directories in place of their paths in the container, and have them made.

    `folder` is where the service runs.
    """
    volumes = given.get("volumes")
    own = {inside for inside, _ in bound(volumes, top)}
    places = [
        (inside, f"{server_scripts.FOLDER}/volume-{tidy_name(name) or 'x'}-{_INSTANCE}")
        for name, inside in _named(volumes)
        if inside not in own
    ]
    places += [
        (inside, place)
        for inside, place in (*of_volumes(volumes, around.variables()), *bound(volumes, top))
        if around.kind(place) is FileKind.NOTHING and "." not in posixpath.basename(place)
    ]
    if not places:
        return
    if folder.startswith(("/", "~")) and around.absolute():  # from there nothing is found by a relative path
        places = [(inside, posixpath.join(around.absolute(), place)) for inside, place in places]
    known = Paths(tuple(places))
    _command(draft, known, folder, around)
    for name, value in list(draft.environment.items()):
        if isinstance(value, str) and not isinstance(value, Filled) and "$" not in value:
            changed = of_variable(name, value, known, folder, lambda path: True)
            if changed != value:
                draft.environment[name] = Filled(changed)
    for key in ("ready", "healthcheck"):
        probe = draft.fields.get(key)
        if isinstance(probe, dict) and isinstance(probe.get("exec"), list):
            probe["exec"] = [_word(word, known, folder) for word in probe["exec"]]
    _make(draft, dict.fromkeys(place for _, place in places), folder, around.absolute())


def _named(volumes: object) -> list[tuple[str, str]]:
    """The volumes with a name, and where each is mounted."""
    found = []
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, dict):
            source, target = str(volume.get("source") or ""), str(volume.get("target") or "")
            match = _NAMED.fullmatch(f"{source}:{target}") if volume.get("type", "volume") == "volume" else None
        else:
            match = _NAMED.match(str(volume))
        if match:
            found.append((match["name"], posixpath.normpath(match["inside"])))
    return found


def _command(draft: Draft, known: Paths, folder: str, around: Around) -> None:
    command = draft.fields.get("command")
    if not isinstance(command, list):
        return
    if command[1:2] == ["-c"] and len(command) == 3 and not isinstance(command[2], Filled):
        text = command[2]
        root = around.absolute() if moves(text, known, posixpath.normpath(folder or ".")) else ""
        draft.fields["command"] = [*command[:2], in_shell(text, known, folder, lambda path: True, root)]
    else:
        draft.fields["command"] = [*command[:1], *(_word(word, known, folder) for word in command[1:])]


def _word(word: str, known: Paths, folder: str) -> str:
    """`/data/x` or `--dir=/data/x` as a program in `folder` finds it."""
    name, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    found = known.outside(posixpath.normpath(value)) if value.startswith("/") and not isinstance(word, Filled) else None
    if found is None:
        return word
    return Filled(f"{placeholders.literally(interpolate.literally(name))}{equals}{relative(found, folder)}")


def in_shell(text: str, known: Paths, folder: str, is_there: Callable[[str], bool], root: str = "") -> str:
    """A line for a shell with the paths that its container had as a program in `folder` has to write them.

    `is_there` says whether there is something at a path of this machine; what is not there stays as it is. With `root`,
    the folder of the source, they are absolute, for a line that changes its directory.
    """

    def place(match: re.Match[str]) -> str:
        found = known.outside(posixpath.normpath(match[0]))
        if found is None or not is_there(found):
            return match[0]
        shown = posixpath.join(root, found) if root else relative(found, folder)
        return shown if text[match.start() - 1 : match.start()] == "'" and _INSTANCE not in shown else _in_shell(shown)

    inside = "|".join(re.escape(each) for each, _ in known.pairs)
    return re.sub(rf"(?<![\w./$}}-])(?:{inside})(?=[/\s\"';&|)]|$)[^\s\"';&|)]*", place, text)


def _in_shell(path: str) -> str:
    """A path within a line for a shell: between double quotes, or without any."""
    return re.sub(r"([$`])", r"\\\1", path).replace(_INSTANCE, "$PORTSUP_INSTANCE")


def moves(text: str, known: Paths, folder: str) -> bool:
    """Whether a line for a shell changes its directory to another one than that where it is run."""
    told = re.findall(r"(?:^|[;&|(\n])\s*cd\s+[\"']?([^\s;&|\"')]+)", text)
    return any(posixpath.normpath(known.outside(posixpath.normpath(each)) or each) != (folder or ".") for each in told)


def _make(draft: Draft, places: Mapping[str, Any], folder: str, root: str) -> None:
    """Have those directories made that the service names."""
    texts = str([draft.fields.get(key) for key in ("command", "environment", "ready", "healthcheck")])

    def is_named(place: str) -> bool:
        shown = (relative(place, folder), *([posixpath.join(root, place)] if root else []))
        return any(each in texts or repr(_in_shell(each))[1:-1] in texts for each in shown)

    wanted = [relative(place, folder) for place in places if is_named(place)]
    if not wanted:
        return
    for path in wanted:
        if _INSTANCE in path:
            draft.notes.append(
                f"its volume is the directory `{path}`, made anew: what is in that of Compose stays there"
            )
    lines = ["umask 077"]
    named = (f'"{_in_shell(path)}"' if _INSTANCE in path else shlex.quote(path) for path in wanted)
    lines.append(f"mkdir -p {' '.join(named)}")
    if any(_INSTANCE in path for path in wanted):
        where = relative(server_scripts.FOLDER, folder)
        lines.append(f"[ -e {where}/.gitignore ] || echo '*' >{where}/.gitignore")
    hooks = draft.fields.setdefault("hooks", {})
    before = hooks.get("pre_start")
    if before and any(isinstance(word, Filled) for word in before):
        draft.leave("`volumes`", "the directories cannot be made next to its `pre_start`", f"run `{lines[1]}`")
        return
    if before:
        lines.append(shlex.join(before))
    hooks["pre_start"] = ["sh", "-c", "set -e\n" + "\n".join(lines) + "\n"]
