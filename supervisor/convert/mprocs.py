"""mprocs.yaml (and .json): processes, each a text for a shell or a list of words."""

import os.path
import re
import shlex
from typing import Any

from supervisor.convert import shell
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import Draft, Left, Outcome
from supervisor.convert.layers import begin
from supervisor.convert.values import is_true, mapping, set_variables, signal_name, texts

_READ = frozenset(("shell", "cmd", "cwd", "env", "add_path", "autostart", "autorestart", "stop", "deps"))
_WHY = {
    "log": ("portsup keeps the output in files of its own", "`portsup logs` shows them"),
    "scrollback": ("it is of the screen of mprocs", ""),
    "mouse_scroll_speed": ("it is of the screen of mprocs", ""),
}
_WHY_FILE = {
    "on_all_finished": ("`up` ends by itself when nothing is left to run", ""),
    "on_init": ("it is of the screen of mprocs", "use `autostart`"),
}


def convert(data: Any, around: Around = ALONE) -> Outcome:
    """One service a process."""
    top, procs, outcome = begin(_selected(data, around.system), "procs", "the file of mprocs")
    for key, (why, remedy) in _WHY_FILE.items():
        if key in top:
            outcome.left.append(Left(f"`{key}`", why, remedy, source={key: top[key]}))
    for name, item in procs.items():
        if item is None:
            continue
        given: dict[str, Any] = {"shell": item} if isinstance(item, str) else {"cmd": item}
        if isinstance(item, dict):
            given = mapping(item)
        is_list = isinstance(given.get("shell"), list)
        if is_list:
            given["cmd"] = given.pop("shell")
        if not str(given.get("shell") or "").strip() and not texts(given.get("cmd")):
            outcome.left.append(Left(f"process `{name}`", "it has no command", "write the service by hand"))
            continue
        outcome.services.append(_process(name, given, around.folder))
        if is_list:
            note = "mprocs takes no list as `shell`, only as `cmd`: run as the words that they are"
            outcome.services[-1].notes.insert(0, note)
    return outcome


def _selected(value: Any, system: str) -> Any:
    """The same data with what `$select: os` means on this system."""
    match value:
        case {"$select": "os", **cases}:
            return _selected(cases.get(system, cases.get("$else")), system)
        case dict():
            return {key: _selected(item, system) for key, item in value.items()}
        case list():
            return [_selected(item, system) for item in value]
    return value


def _process(name: str, given: dict[str, Any], home: str) -> Draft:
    draft = Draft(name, needs_port=True)
    text = str(given.get("shell") or "").strip()
    line = shell.read(text) if text else shell.listed(texts(given.get("cmd")))
    if added := texts(given.get("add_path")):
        path = ":".join([*(_place(each, home) for each in added), "$PATH"])
        told = text or f"exec {shlex.join(texts(given.get('cmd')))}"
        line = shell.Line(["sh", "-c", f'PATH="{path}"; export PATH; {told}'], why_shell="its `add_path`")
    variables = {key: None if value is None else str(value) for key, value in mapping(given.get("env")).items()}
    unset = [key for key, value in variables.items() if value is None]
    if unset and not line.why_shell:
        line.words = ["env", *(word for key in unset for word in ("-u", key)), *line.words]
    elif unset:
        line.words[2] = f"unset {' '.join(unset)}; {line.words[2]}"
    shell.give(draft, line)
    set_variables(draft, {**line.environment, **{key: value for key, value in variables.items() if value is not None}})
    if folder := given.get("cwd"):
        draft.fields["working_dir"] = _place(str(folder), home)
    if needed := texts(given.get("deps")):
        draft.fields["depends_on"] = dict.fromkeys(needed, "started")
    if not is_true(given.get("autostart", "true")):
        draft.fields["autostart"] = False
    draft.fields["restart"] = "never"
    if is_true(given.get("autorestart", "false")):
        draft.fields |= {"restart": "always", "restart_policy": {"max_restarts": "infinite"}}
        draft.notes.append("mprocs does not restart what ends within a second; portsup waits longer each time")
    _stop(draft, given.get("stop"))
    if isinstance(told := draft.fields["stop_signal"], str):  # mprocs asks the process alone, not its group
        draft.fields["stop_signal"] = {"signal": told, "to": "main"}
    draft.fields["stdin"] = "open"
    draft.leave_keys(given, _WHY, _READ)
    return draft


def _place(path: str, home: str) -> str:
    """A path as mprocs finds it where it is started; `home` is the folder of its file."""
    rest = re.sub(r"^<CONFIG_DIR>[/\\]*", "", path)
    return (os.path.join(home, rest) if rest != path else path) or "."


def _stop(draft: Draft, told: Any) -> None:
    draft.fields["stop_signal"] = "SIGTERM"
    if isinstance(told, dict) and isinstance(told.get("cmd"), str):
        draft.fields["stop_command"] = shell.beside(told["cmd"])
    elif isinstance(told, dict) and "send-keys" in told:
        keys = texts(told["send-keys"])
        draft.fields["stop_signal"] = "SIGINT"
        if [key.lower() for key in keys] != ["<c-c>"]:
            remedy = "see whether SIGINT ends it"
            draft.leave(f"`stop`: keys {' '.join(keys)}", "services have no terminal", remedy, source={"stop": told})
    elif told in ("hard-kill", "SIGKILL"):
        draft.fields["stop_signal"] = "SIGKILL"
    elif told is not None:
        draft.carry("stop_signal", signal_name(told), f"`stop: {told}`", "set `stop_signal`")
