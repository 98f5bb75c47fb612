"""What a service of compose names besides its program: paths in its checks and hooks, and files for its interpreter."""

import posixpath
import re

from supervisor.convert import volumes
from supervisor.convert.around import Around, FileKind
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.image import OfImage
from supervisor.convert.paths import relative


def follow(draft: Draft, place: OfImage, around: Around, folder: str) -> None:
    """Write what they name for a service that runs in `folder`; what is not on this machine stays."""
    if not place.paths.pairs:
        return
    for key in ("ready", "healthcheck"):
        probe = draft.fields.get(key)
        if isinstance(probe, dict) and isinstance(probe.get("exec"), list):
            probe["exec"] = _followed(probe["exec"], place, around, folder)
    for name, hook in draft.fields.get("hooks", {}).items():
        if isinstance(hook, list):
            draft.fields["hooks"][name] = _followed(hook, place, around, folder)


_OF_INTERPRETER = re.compile(r"(?<![\w./:@-])[\w./-]*\w\.(?:jar|war|dll|[cm]?js|wasm|phar|pyz|py)(?![\w./-])", re.ASCII)


def note_built(draft: Draft, place: OfImage, around: Around) -> None:
    """Say of files in the command that another stage of the Dockerfile makes, and that are not on this machine."""
    command = draft.fields["command"]
    text = command if isinstance(command, str) else " ".join(command)
    for file in dict.fromkeys(_OF_INTERPRETER.findall(text)) if place.image.built else ():
        inside = posixpath.normpath(posixpath.join(place.image.working_dir, file))
        is_built = any(f"{inside}/".startswith(f"{each}/") for each in place.image.built)
        here = place.paths.outside(inside) or posixpath.join(place.working_dir, file)
        if is_built and around.kind(here) is FileKind.NOTHING and around.kind(file) is FileKind.NOTHING:
            draft.leave(f"`{file}` in the command", "it is built in its image", "build it here, and write where it is")


def _followed(command: list[str], place: OfImage, around: Around, folder: str) -> list[str]:
    def is_there(path: str) -> bool:
        return around.kind(path) is not FileKind.NOTHING

    def here(word: str) -> str:
        path = place.paths.outside(posixpath.normpath(word)) if word.startswith("/") and type(word) is str else None
        return relative(path, folder) if path and is_there(path) else word

    if command[1:2] == ["-c"] and len(command) == 3 and not isinstance(command[2], Filled):
        return [*command[:2], volumes.in_shell(command[2], place.paths, folder, is_there)]
    return [here(word) for word in command]
