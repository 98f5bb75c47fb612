"""The directories that systemd makes for a unit, and the files of its variables, which may be patterns."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from supervisor.convert.around import Around
from supervisor.convert.draft import Draft

Specifier = Callable[[str], str]
# systemd.exec(5): where each lies for a unit of the system, and the variable that names it to the program.
FOLDERS = {
    "RuntimeDirectory": ("/run", "RUNTIME_DIRECTORY"),
    "StateDirectory": ("/var/lib", "STATE_DIRECTORY"),
    "CacheDirectory": ("/var/cache", "CACHE_DIRECTORY"),
    "LogsDirectory": ("/var/log", "LOGS_DIRECTORY"),
    "ConfigurationDirectory": ("/etc", "CONFIGURATION_DIRECTORY"),
}


def carry(draft: Draft, given: Mapping[str, list[str]], specifier: Specifier) -> None:
    """Tell a service its directories, and have them made if it runs as who starts it; else say who has to."""
    paths: list[str] = []
    for key, (where, variable) in FOLDERS.items():
        names = [name.partition(":")[0] for told in given.get(key, []) for name in specifier(told).split()]
        own = [f"{where}/{name}" for name in names if name]
        if own:
            draft.environment.setdefault(variable, ":".join(own))
            paths += own
    if not paths:
        return
    made = ["mkdir", "-p", *paths]
    if user := draft.fields.get("user"):
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
