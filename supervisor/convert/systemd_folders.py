"""The directories that systemd makes for a unit, and the files of its variables, which may be patterns."""

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from supervisor.convert.around import Around
from supervisor.convert.draft import Draft

Specifier = Callable[[str], str]
# systemd.exec(5): the variable that names each to the program.
FOLDERS = {
    "RuntimeDirectory": "RUNTIME_DIRECTORY",
    "StateDirectory": "STATE_DIRECTORY",
    "CacheDirectory": "CACHE_DIRECTORY",
    "LogsDirectory": "LOGS_DIRECTORY",
    "ConfigurationDirectory": "CONFIGURATION_DIRECTORY",
}
_OF_SYSTEM = ("/run", "/var/lib", "/var/cache", "/var/log", "/etc")
_OF_USER = ("~/.local/state", "~/.cache", "~/.local/state/log", "~/.config")


def is_of_user(path: str, install: Mapping[str, list[str]]) -> bool:
    """Whether a unit is for the systemd of a user: by where it lies, or by what wants it."""
    wanted = " ".join(install.get("WantedBy", [])).split()
    return "/systemd/user/" in path or wanted in (["default.target"], ["graphical-session.target"])


def bases(is_of_user: bool) -> tuple[str, ...]:
    """Where the directories of FOLDERS lie, systemd.unit(5): `%t`, `%S`, `%C`, `%L` and `%E`."""
    if not is_of_user:
        return _OF_SYSTEM
    runtime = f"/run/user/{os.getuid() if hasattr(os, 'getuid') else 0}"  # pam_systemd(8)
    return (runtime, *map(os.path.expanduser, _OF_USER))


def carry(draft: Draft, given: Mapping[str, list[str]], specifier: Specifier, is_of_user: bool) -> None:
    """Tell a service its directories, and have them made if it may make them; else say who has to."""
    paths: list[str] = []
    for (key, variable), where in zip(FOLDERS.items(), bases(is_of_user), strict=True):
        names = [name.partition(":")[0] for told in given.get(key, []) for name in specifier(told).split()]
        own = [f"{where}/{name}" for name in names if name]
        if own:
            draft.environment.setdefault(variable, ":".join(own))
            paths += own
    if not paths:
        return
    made = ["mkdir", "-p", *paths]
    if (user := draft.fields.get("user")) not in (None, "root", "0"):
        keys = ", ".join(f"`{key}`" for key in FOLDERS if given.get(key))
        why = "systemd makes these directories before a start, and a service may not"
        draft.leave(keys, why, f"make them: `install -d -o {user} {shlex.join(paths)}`")
        return
    hooks = draft.fields.setdefault("hooks", {})
    before = hooks.get("pre_start")
    if before and before[:2] == ["sh", "-c"] and len(before) == 3:
        made = ["sh", "-c", f"{shlex.join(made)} && {before[2]}"]
    elif before:
        made = ["sh", "-c", f"{shlex.join(made)} && {shlex.join(before)}"]
    hooks["pre_start"] = made


def env_files(draft: Draft, given: Mapping[str, list[str]], around: Around, specifier: Specifier) -> Iterator[str]:
    """Set the files of a unit's variables, and give the path of each; a pattern is the files that fit it now."""
    files: list[dict[str, Any]] = []
    for each in given.get("EnvironmentFile", []):
        path = specifier(each.lstrip("-"))
        found = around.matching(path) if re.search(r"[*?[]", path) else [path]
        if not found:
            draft.leave(f"`EnvironmentFile={each}`", "no file fits this pattern now", "add such files to `env_file`")
        files += [{"path": one, "required": not each.startswith("-")} for one in found]
    if files:
        draft.fields["env_file"] = files
    for file in files:
        yield str(file["path"])
