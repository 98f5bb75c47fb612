"""Units of systemd, `name.service`, one or several."""

import glob
import os.path
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from supervisor.convert import (
    own_export,
    shell,
    systemd_folders,
    systemd_instances,
    systemd_relations,
    systemd_specifiers,
    unit_file,
)
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import SCHEDULED, Draft, Filled, Left, Outcome
from supervisor.convert.own_port import is_number
from supervisor.convert.references import PORT
from supervisor.convert.systemd_life import LIMITS, life
from supervisor.convert.systemd_sockets import sockets
from supervisor.convert.values import account, set_variables, umask
from supervisor.errors import PortsupError

_RELOADS = re.compile(r"\S*kill\s+(?:-s\s+|-)?(\w+)?\s*\$\{?MAINPID\}?")
_READ_UNIT = frozenset((
    "Description", "Documentation", "After", "Requires", "Wants", "BindsTo", "PartOf", "Before", "StartLimitBurst",
    "StartLimitInterval", "StartLimitIntervalSec", "DefaultDependencies", "SourcePath",
))  # fmt: skip
_READ = frozenset((
    "Type", "ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "Environment",
    "EnvironmentFile", "WorkingDirectory", "User", "Group", "UMask", "Restart", "RestartSec", "TimeoutStartSec",
    "TimeoutStopSec", "TimeoutSec", "KillSignal", "KillMode", "SuccessExitStatus", "WatchdogSec", "NotifyAccess",
    "MemoryMax", "PIDFile", "StandardOutput", "StandardError", "StandardInput", "SyslogIdentifier", "SyslogFacility",
    "StartLimitBurst", "StartLimitInterval", "StartLimitIntervalSec", "SendSIGKILL", "RemainAfterExit",
    "PassEnvironment", "UnsetEnvironment", "GuessMainPID", "TimeoutAbortSec", "RestartSteps", "RestartMaxDelaySec",
    "Sockets", *LIMITS, *systemd_folders.FOLDERS,
))  # fmt: skip
_WHY = {
    "ExecReload": ("portsup runs no command to reload", "`portsup kill -s HUP SERVICE` sends a signal"),
    "ExecCondition": ("nothing decides before a start", "put it into `hooks: {pre_start: …}`"),
    "RestartPreventExitStatus": ("every failure is one to restart", "see `success_exit_codes`"),
    "RestartForceExitStatus": ("every failure is one to restart", "see `restart`"),
    "OOMScoreAdjust": ("it is of the kernel's choice", ""),
    "BusName": ("it is of D-Bus", ""),
    "DynamicUser": ("portsup makes no users, so it runs as who runs portsup", "set `user` to one that may do less"),
    "PermissionsStartOnly": ("hooks run as their service does", "prepare what they need before `portsup up`"),
}


def convert(text: str, around: Around = ALONE, name: str = "", more: Sequence[tuple[str, str]] = ()) -> Outcome:
    """One service a unit; `more` are further units, as paths and texts."""
    outcome = Outcome()
    units = systemd_instances.expanded([(os.path.basename(name) or "service", text), *more], around)
    plain = {_name(path) for path, _ in units if not systemd_instances.template_of(path)}
    known = {_name(path, plain) for path, _ in units}
    texts = {path: _with_drop_ins(path, each, around, outcome) for path, each in units}
    before = {
        _name(path, plain): unit_file.sections(each).get("Unit", {}).get("Before", []) for path, each in texts.items()
    }
    names: dict[str, str] = {}
    for path, stem in ((path, systemd_instances.template_of(path)) for path in texts):
        if f"{stem}@" in names:
            continue  # it is one of those that became one
        together = [each for each in texts if stem and systemd_instances.template_of(each) == stem]
        if len(together) > 1 and (made := _as_one(stem, together, texts, known, around)) is not None:
            made.name = f"{stem}@" if stem in plain else stem
            outcome.services.append(made)
            names |= dict.fromkeys((f"{stem}@", *map(_name, together)), made.name)
        else:
            _unit(path, unit_file.sections(texts[path]), known, around, outcome)
    systemd_relations.put_before(outcome.services, before)
    systemd_instances.renamed(outcome.services, names)
    own_export.recall(outcome)
    return outcome


def _as_one(stem: str, paths: Sequence[str], texts: Mapping[str, str], known: set[str], around: Around) -> Draft | None:
    """The instances of a template as the replicas of one service, None if they are not alike."""
    if len({texts[path] for path in paths}) > 1:
        return None  # drop-ins of their own
    made = Outcome()
    for path in (*paths, f"{stem}@{systemd_instances.NUMBER}.service"):
        _unit(path, unit_file.sections(texts[paths[0]]), known, around, made)
    if len(made.services) != len(paths) + 1:
        return None
    instances = [systemd_instances.instance_of(path) for path in paths]
    return systemd_instances.merged(made.services[:-1], instances, made.services[-1], stem)


def _with_drop_ins(path: str, text: str, around: Around, outcome: Outcome) -> str:
    """A unit followed by the files of its `.d` folder and, for one of a template, of the template's, by their names."""
    folder, name = os.path.split(path)
    stem, at, _ = name.removesuffix(".service").partition("@")
    folders = dict.fromkeys((f"{name}.d", f"{stem}@.service.d") if at else (f"{name}.d",))
    found: dict[str, str] = {}
    for each in folders:
        for file in around.found(os.path.join(folder, glob.escape(each), "*.conf")):
            found.setdefault(os.path.basename(file), file)
    for _, file in sorted(found.items()):
        try:
            text += f"\n{around.read(file)}"
        except PortsupError as error:
            outcome.left.append(Left(f"drop-in `{file}`", str(error), "write what it says into the unit"))
    return text


def _name(path: str, taken: Collection[str] = ()) -> str:
    """The name of a unit; a template keeps its `@` where a unit has the same name without it."""
    stem = systemd_specifiers.stem(path)
    plain = stem.removesuffix("@")
    return stem if plain in taken else plain


def _unit(path: str, sections: Mapping[str, Any], known: set[str], around: Around, outcome: Outcome) -> None:
    given, unit = sections.get("Service", {}), sections.get("Unit", {})
    stem = systemd_specifiers.stem(path)
    name = stem if stem in known else _name(path)
    if "Service" not in sections:
        raise PortsupError(f"cannot convert `{path}`", "it has no `[Service]`, so it is a unit of another type")
    if not given.get("ExecStart"):
        outcome.left.append(Left(f"unit `{name}`", "it has no `ExecStart`", "write the service by hand"))
        return
    draft = Draft(name, needs_port=True)
    install = sections.get("Install", {})
    is_of_user = systemd_folders.is_of_user(path, install)
    default = next(iter(install.get("DefaultInstance", [])[-1:]), "")
    specifier = systemd_specifiers.filler(draft, path, default, is_of_user)
    variables = _variables(draft, given, around, specifier)
    # The port of the pool, not the number that stands there: put in as a word, or by the shell.
    without = {key: value for key, value in variables.items() if key != "PORT"}
    lines = unit_file.separated(given["ExecStart"])
    starts = [unit_file.command(each, without, specifier) for each in lines]
    is_job = given.get("Type", [])[-1:] == ["oneshot"]
    if len(starts) == 1 and not (is_job and starts[0].may_fail):
        if starts[0].unknown and set(starts[0].unknown) == {"PORT"} and "PORT" in variables:
            starts = [unit_file.command(lines[0], {**without, "PORT": PORT}, specifier)]
        _give(draft, starts[0])
    else:
        draft.fields["command"] = ["sh", "-c", " && ".join(unit_file.shown(each) for each in starts)]
        why = "it is several commands" if len(starts) > 1 else "the `-` before its command forgives a failure"
        draft.notes.append(f"run by `sh -c`, because {why}")
    # There the files win over `Environment`, here `environment` wins: what both have is left to the file.
    in_files = {name for file in draft.fields.get("env_file", ()) for name in around.variables(file["path"])}
    own = [pair.partition("=") for each in given.get("Environment", []) for pair in unit_file.split(specifier(each))]
    set_variables(draft, {key: value for key, _, value in own if key not in in_files})
    _unset(draft, [name for each in given.get("UnsetEnvironment", []) for name in unit_file.split(specifier(each))])
    for folder in given.get("WorkingDirectory", [])[-1:]:
        draft.fields["working_dir"] = specifier(folder.removeprefix("-"))
        if draft.fields["working_dir"] == "~":
            draft.fields["working_dir"] = _home(draft, given)
    # As systemd does where nothing is said.
    draft.fields.setdefault("working_dir", os.path.expanduser("~") if is_of_user else "/")
    for key, field in (("User", "user"), ("Group", "group")):
        for told in given.get(key, [])[-1:]:
            if told.lower() in ("%u", "%g"):
                continue  # who runs it anyway
            draft.carry(field, account(specifier(told)), f"`{key}={told}`", f"set `{field}`")
    for mask in given.get("UMask", [])[-1:]:
        draft.carry("umask", umask(mask), f"`UMask={mask}`", "set `umask` to three octal digits")
    for told in unit.get("Description", [])[-1:]:
        draft.fields["description"] = specifier(told)[:1000]
    systemd_relations.depend(draft, unit, known)
    life(draft, given, unit, variables, specifier)
    if starts[0].may_fail and not is_job and draft.fields["restart"] == "on-failure":
        draft.fields["restart"] = "never"
        draft.fields.pop("restart_policy", None)
        draft.notes.append("the `-` before its command has systemd take every end for a success: no restart follows")
    systemd_folders.carry(draft, given, specifier, is_of_user)
    starts_by_itself = bool(sections.get("Install", {}).get("WantedBy"))
    sockets(draft, path, given, around, specifier, starts_by_itself=starts_by_itself)
    if around.is_there(timer := f"{path.removesuffix('.service')}.timer") and not starts_by_itself:
        draft.leave(f"`{os.path.basename(timer)}`", *SCHEDULED)
        draft.fields["autostart"] = False  # it runs by the clock, not at the start of all
    _leave(draft, sections)
    outcome.services.append(draft)


def _unset(draft: Draft, names: Sequence[str]) -> None:
    """Take variables away from the program, whoever set them."""
    plain = [name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)]
    command = draft.fields["command"]
    for name in plain:
        draft.environment.pop(name, None)
    if plain and isinstance(command, list):
        is_script = command[:2] == ["sh", "-c"] and len(command) == 3
        if is_script and not isinstance(command[2], Filled):
            draft.fields["command"] = ["sh", "-c", f"unset {' '.join(plain)}; {command[2]}"]
        else:
            draft.fields["command"] = ["env", *(word for name in plain for word in ("-u", name)), *command]
    elif plain:
        draft.leave("`UnsetEnvironment`", "its command is one text", "put `env -u NAME` before it")


def _home(draft: Draft, given: Mapping[str, list[str]]) -> str:
    """The home directory of the user that a unit runs as, which `WorkingDirectory=~` means."""
    user = next(iter(given.get("User", [])[-1:]), "")
    if not user:
        return "~/"
    if home := systemd_specifiers.home_of(user):
        return home
    told = str(draft.fields.get("environment", {}).get("HOME", ""))
    draft.leave("`WorkingDirectory=~`", f"there is no user `{user}` here, whose home it is", "set `working_dir`")
    return told if told.startswith("/") else "/"


def _give(draft: Draft, command: unit_file.Command) -> None:
    if command.unknown:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(command.unknown))
        text = "exec " + " ".join(unit_file.for_shell(word) for word in command.words)
        line = shell.read(text)
        if line.words[1:2] != ["-c"]:
            line = shell.Line(["sh", "-c", text])
        draft.notes.append(f"a shell fills in {names}, whose values are not in the unit")
        line.why_shell = ""
        shell.give(draft, line)
    else:
        shell.give(draft, shell.listed(command.words))
    if set(command.prefixes) & {"+", "!"}:
        what = f"`{command.prefixes}` before its command"
        draft.leave(what, "a service runs as one user", "start portsup as root, and remove `user`")


def _variables(draft: Draft, given: Mapping[str, Any], around: Around, specifier: Any) -> dict[str, str]:
    """The variables that a unit sets, with those of its files where they can be read."""
    found: dict[str, str] = {}
    for each in given.get("Environment", []):
        found |= {key: value for key, _, value in (pair.partition("=") for pair in unit_file.split(specifier(each)))}
    for path in systemd_folders.env_files(draft, given, around, specifier):
        found |= around.variables(path)
    for name in [each for each in found if each == "PORT" and not is_number(found[each])]:
        del found[name]
    return found


def _leave(draft: Draft, sections: Mapping[str, Mapping[str, list[str]]]) -> None:
    unit = {key: value for key, value in sections.get("Unit", {}).items() if key not in _READ_UNIT}
    given = sections.get("Service", {})
    systemd_specifiers.leave_marks(draft, given)
    for key in ("StandardOutput", "StandardError"):
        for told in given.get(key, [])[-1:]:
            if told.startswith(("file:", "append:", "truncate:")):
                why = "portsup keeps the output in files of its own"
                draft.leave(f"`{key}={told}`", why, "`portsup logs` shows them")
    if _is_off(given.get("SendSIGKILL", [])):
        draft.leave("`SendSIGKILL=no`", "portsup kills what is left after `stop_grace_period`", "set a longer one")
    for key in ("OnFailure", "OnSuccess"):
        if others := unit.pop(key, []):
            remedy = "`notify` tells somebody, `hooks: {post_stop: …}` runs a command" if key == "OnFailure" else ""
            draft.leave(f"`{key}`", "no other unit is started when it ends", remedy, source={key: others})
    conditions = {key: value for key, value in unit.items() if key.startswith(("Condition", "Assert"))}
    service = {key: value for key, value in given.items() if not (key in _READ or key in _WHY or _is_off(value))}
    for key, (why, remedy) in _WHY.items():
        if key in given and not _is_off(given[key]):
            if key == "ExecReload" and (found := _RELOADS.fullmatch(given[key][-1])):
                told = (found[1] or "TERM").removeprefix("SIG")
                remedy = f"`portsup kill -s {told} {draft.name}` sends the same signal"
            draft.leave(f"`{key}`", why, remedy, source={key: given[key]})
    if conditions:
        draft.leave(", ".join(f"`{key}`" for key in conditions), "nothing is checked", "see that they hold", conditions)
    if more := {**{key: value for key, value in unit.items() if key not in conditions}, **service}:
        why = "systemd confines the program, or orders the boot, and portsup does not"
        draft.leave(", ".join(f"`{key}`" for key in more), why, "see whether you need it", source=more)


def _is_off(values: Sequence[str]) -> bool:
    """Whether a setting says what is so without it."""
    return bool(values) and values[-1].lower() in ("no", "false", "off", "0")
