"""A service of another compose file, its paths written as the first file has to write them."""

import os.path
import re
from typing import Any

from supervisor.convert.values import mapping, texts


def rebased(given: dict[str, Any], folder: str) -> dict[str, Any]:
    """The same service with paths that are relative to the folder above `folder`."""
    if not folder or folder == ".":
        return given
    found = dict(given)
    if isinstance(build := given.get("build"), str):
        found["build"] = _below(folder, build)
    elif isinstance(build, dict):
        found["build"] = {**build, "context": _below(folder, str(build.get("context") or "."))}
    if "env_file" in given:
        files = given["env_file"] if isinstance(given["env_file"], list) else [given["env_file"]]
        found["env_file"] = [
            {**mapping(each), "path": _below(folder, str(mapping(each).get("path") or ""))}
            if isinstance(each, dict)
            else _below(folder, str(each))
            for each in files
        ]
    if isinstance(volumes := given.get("volumes"), list):
        found["volumes"] = [_volume(folder, each) for each in volumes]
    if isinstance(extends := given.get("extends"), dict) and texts(extends.get("file")):
        found["extends"] = {**extends, "file": _below(folder, str(extends["file"]))}
    return found


def _below(folder: str, path: str) -> str:
    if not path or path.startswith(("/", "~", "$")) or re.match(r"\w+://|git@", path):
        return path
    return os.path.normpath(os.path.join(folder, path))


def _volume(folder: str, volume: Any) -> Any:
    if isinstance(volume, dict):
        source = str(volume.get("source") or "")
        return {**volume, "source": f"./{_below(folder, source)}"} if source.startswith(".") else volume
    source, colon, rest = str(volume).partition(":")
    return f"./{_below(folder, source)}{colon}{rest}" if source.startswith(".") else volume
