"""process-compose.yaml: processes, each a command for a shell."""

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from supervisor.convert import background, bash, own_port, process_probes, shell
from supervisor.convert.around import ALONE, Around
from supervisor.convert.copies import share
from supervisor.convert.draft import SCHEDULED, WATCHED, Draft, Left, Outcome
from supervisor.convert.layers import begin
from supervisor.convert.process_life import end
from supervisor.convert.references import resolved
from supervisor.convert.values import (
    BRACED,
    is_true,
    mapping,
    pairs,
    reference,
    set_variables,
    texts,
    whole,
)
from supervisor.core.replicas import MOST as MOST_REPLICAS

CONDITIONS = {
    "process_started": "started",
    "process_healthy": "ready",
    "process_log_ready": "ready",
    "process_completed": "completed",
    "process_completed_successfully": "completed_ok",
}
MOST_COPIES = 32
_TEMPLATE = re.compile(r"\{\{\s*\.(\w+)\s*\}\}", re.ASCII)
_WHY = {
    "is_tty": ("services have no terminal", "see that the program does without"),
    "is_interactive": ("services have no terminal", "see that the program does without"),
    "is_foreground": ("services have no terminal", "run it by hand next to portsup"),
    "is_elevated": ("it would need sudo", "run portsup as root if it has to be"),
    "namespace": ("there are no namespaces", "name several services: `portsup restart a b`"),
    "log_location": ("portsup keeps the output in files of its own", "`portsup logs` shows them"),
    "schedule": SCHEDULED,
    "scheduled": SCHEDULED,
    "launch_timeout_seconds": ("it is for programs in the background", "set `ready: {timeout: …}`"),
    "watch": WATCHED,
    "monitor_for": ("it is of the screen of process-compose", "follow `portsup logs -f`"),
    "monitor_silence_threshold": ("it is of the screen of process-compose", "follow `portsup logs -f`"),
    "mcp": ("it is of process-compose", "see whether you need it"),
}
_READ = frozenset((
    "availability", "command", "depends_on", "description", "disabled", "entrypoint", "env_file", "environment",
    "extends", "liveness_probe", "log_configuration", "readiness_probe", "ready_log_line", "replicas", "shutdown",
    "success_exit_codes", "truncate_log", "working_dir", "disable_ansi_colors", "disable_dotenv", "is_daemon",
    "is_disabled", "is_dotenv_disabled", "is_template_disabled", "vars",
))  # fmt: skip

# Keys of the file itself; those of the program, such as how its screen looks, are of no use here.
_WHY_TOP = {
    "log_location": ("portsup keeps the output in files of its own", "`portsup logs` shows them"),
    "log_configuration": ("portsup keeps the output in files of its own", "set `logging` where it should be other"),
    "env_cmds": ("variables are not made by commands", "set them outside, or in a script around `portsup up`"),
    "mcp_server": ("it is of process-compose", "see whether you need it"),
}
_READ_TOP = frozenset((
    "disable_env_expansion", "disable_tui", "env_file", "environment", "extends", "is_strict", "is_tui_disabled",
    "log_format", "log_length", "log_level", "log_no_color", "name", "ordered_shutdown", "processes", "shell", "theme",
    "version", "vars",
))  # fmt: skip


class _File:
    """What the processes of a file have in common."""

    def __init__(self, top: dict[str, Any], around: Around) -> None:
        self.shell = mapping(top.get("shell"))
        self.general = dict(pairs(top.get("environment")))
        self.dotenv = around.variables()
        self.env_files = texts(top.get("env_file")) or ([".env"] if self.dotenv else [])
        self.is_expanded = not is_true(top.get("disable_env_expansion", "false"))

    def known(self, own: Mapping[str, str | None]) -> dict[str, str]:
        """The variables whose values the file, or `.env`, tells: those of process-compose itself come first."""
        found = {name: value for name, value in {**self.general, **own}.items() if value and "$" not in value}
        return {**found, **self.dotenv}

    def running(self, own: Mapping[str, str | None]) -> dict[str, str]:
        """The variables that a process finds when it runs: those of the file come before those of `.env`."""
        return {**self.dotenv, **{name: value for name, value in {**self.general, **own}.items() if value}}

    def references(self, own: Mapping[str, str | None]) -> shell.References:
        """`${VAR}` as process-compose fills it in, when it reads the file."""
        known = self.known(own)

        def written(match: re.Match[str]) -> str:
            name = match["name"]
            if name in known and not match["sign"]:
                return f"${{{name}:-{known[name].replace('$', '$$').replace('}', '')}}}"
            return reference(match)

        return shell.References(BRACED if self.is_expanded else _NOTHING, written, known)


_NOTHING = re.compile(r"(?!)(?P<name>)(?P<sign>)(?P<word>)(?P<plain>)")


def convert(data: Any, around: Around = ALONE) -> Outcome:
    """One service a process; several for `replicas` that use their number, which is counted from 0."""
    top, processes, outcome = begin(data, "processes", "the file of process-compose")
    file = _File(top, around)
    for key, value in top.items():
        if key in _WHY_TOP and value not in (None, "", "false", [], {}):
            outcome.left.append(Left(f"`{key}`", *_WHY_TOP[key], source={key: value}))
        elif key not in _WHY_TOP and key not in _READ_TOP and not key.startswith("x-"):
            outcome.left.append(Left(f"`{key}`", "portsup does not know it", "see whether you need it"))
    wanted = {name: whole(mapping(item).get("replicas", 1), 1, 10**6) or 1 for name, item in processes.items()}
    alike = {name for name, item in processes.items() if "PC_REPLICA_NUM" not in str(item)}
    copies = {name: _copies(name, 1 if name in alike else number) for name, number in wanted.items()}
    for name, item in processes.items():
        given = mapping(item)
        if not texts(given.get("command")) and not texts(given.get("entrypoint")):
            outcome.left.append(Left(f"process `{name}`", "it has no command", "write the service by hand"))
            continue
        if wanted[name] > (most := MOST_REPLICAS if name in alike else MOST_COPIES):
            why = f"these are {wanted[name]} copies, {most} are written"
            outcome.left.append(Left(f"`replicas` of `{name}`", why, "add the others by hand"))
        needed = mapping(given.get("depends_on"))
        given["depends_on"] = {each: how for other, how in needed.items() for each in copies.get(other, [other])}
        run = " ".join([*texts(given.get("command")), *texts(given.get("entrypoint"))])
        variables = {**mapping(top.get("vars")), **mapping(given.get("vars"))}
        for number, own_name in enumerate(copies[name]):
            told = {"PC_PROC_NAME": name, "PC_REPLICA_NUM": str(number)}
            values = {**{key: str(value) for key, value in variables.items() if not isinstance(value, dict)}, **told}
            known = {variable: value for variable, value in told.items() if variable in run}
            outcome.services.append(_process(own_name, _rendered(given, values), known, file))
            if name in alike and wanted[name] > 1:
                share(outcome.services[-1], min(wanted[name], most))
    return outcome


def _copies(name: str, number: int) -> list[str]:
    if number == 1:
        return [name]
    width = len(str(number))
    return [f"{name}-{each:0{width}}" for each in range(min(number, MOST_COPIES))]


def _rendered(value: Any, known: Mapping[str, str]) -> Any:
    """The same data with what `{{.NAME}}` stands for, where the file tells it."""
    match value:
        case str():
            return _TEMPLATE.sub(lambda match: known.get(match[1], match[0]), value)
        case dict():
            return {key: _rendered(item, known) for key, item in value.items()}
        case list():
            return [_rendered(item, known) for item in value]
    return value


def _resolved(part: dict[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """Settings with the variables in them filled in, where their values or defaults are known."""
    found: dict[str, Any] = {}
    for key, value in part.items():
        if isinstance(value, dict):
            found[key] = _resolved(value, known) if key == "http_get" else value
        elif isinstance(value, str) and "${" in value and key != "command":
            found[key] = resolved(value, BRACED, known) or value
        else:
            found[key] = value
    return found


def _process(name: str, given: dict[str, Any], replica: dict[str, str], file: _File) -> Draft:
    draft = Draft(name, needs_port=True)
    own = dict(pairs(given.get("environment")))
    references = file.references(own)
    for part in ("availability", "shutdown", "readiness_probe", "liveness_probe"):
        if part in given:
            given[part] = _resolved(mapping(given[part]), references.known)
    _command(draft, given, file, references)
    _variables(draft, {**file.general, **replica}, references, is_own=False)
    _variables(draft, own, references, is_own=True)
    if description := given.get("description"):
        draft.fields["description"] = str(description)[:1000]
    if folder := given.get("working_dir"):
        draft.fields["working_dir"] = _filled(str(folder), references)
    dotenv = [] if is_true(given.get("is_dotenv_disabled", "false")) else file.env_files
    files: list[dict[str, Any]] = [{"path": path, "required": False} for path in dotenv]
    base = str(given.get("working_dir") or "")  # a file of variables is relative to it
    files += [
        {"path": _filled(posixpath.normpath(posixpath.join(base, path)), references), "required": True}
        for path in texts(given.get("env_file"))
        if path.strip()
    ]
    if files:
        draft.fields["env_file"] = files
    needed = {
        other: CONDITIONS.get(str(mapping(item).get("condition")), "started")
        for other, item in mapping(given.get("depends_on")).items()
    }
    if needed:
        draft.fields["depends_on"] = needed
    clock = mapping(given.get("schedule") or given.get("scheduled") or {"run_on_start": "true"})
    if is_true(given.get("is_disabled") or given.get("disabled", "")) or not is_true(clock.get("run_on_start", "")):
        draft.fields["autostart"] = False
    process_probes.carry(draft, given, references)
    end(draft, given, references)
    bash.keep(draft)
    for part in ("availability", "shutdown", "readiness_probe", "liveness_probe"):
        for key, value in mapping(given.get(part)).items():
            if key != "command" and isinstance(value, str) and "$" in value:
                draft.leave(f"`{key}: {value}` of `{part}`", "its value is not known here", "set it by hand")
    is_off = {key for key in _WHY if given.get(key) in (None, "false", "")}
    draft.leave_keys({key: value for key, value in given.items() if key not in is_off}, _WHY, _READ)
    if any("{{" in str(text) for text in (given.get("command"), *texts(given.get("entrypoint")))):
        draft.leave("`{{…}}` in the command", "there are no templates", "put the value there")
    return draft


def _filled(text: str, references: shell.References) -> str:
    return shell.listed_only([text], references)[0]


def _variables(
    draft: Draft, variables: Mapping[str, str | None], references: shell.References, *, is_own: bool
) -> None:
    """Give a process variables; a `PORT` that all have is that of a process only where its command listens on it."""
    for name, value in variables.items():
        text = None if value is None else _filled(value, references)
        if name == "PORT" and text and not is_own and text.isdecimal():
            if draft.gets_port:
                draft.ports = draft.ports or [int(text[:6])]
            else:
                draft.environment[name] = text
            continue
        if name == "PORT" and is_own and own_port.is_client(str(draft.fields["command"][-1])):
            draft.environment[name] = text
            continue
        set_variables(draft, {name: text}, references.known)


def _command(draft: Draft, given: dict[str, Any], file: _File, references: shell.References) -> None:
    entry = texts(given.get("entrypoint"))
    told = given.get("command")
    if isinstance(told, list) or (entry and not told):
        shell.give(draft, shell.listed([*entry, *texts(told)], references))
        return
    text = str(told or "")
    number = file.running(dict(pairs(given.get("environment")))).get("PORT", "")
    if own_port.is_client(text):
        text = own_port.asked(text, references.known.get("PORT", "") if file.is_expanded else number, number)
    line = shell.read(text, references)
    if line.uses_port and not line.ports and own_port.is_number(number):
        line.ports = [int(number)]
    program = str(file.shell.get("shell_command") or "")
    if line.why_shell and program and re.fullmatch(r"[\w/.-]+", program):
        line.words[:2] = [program, str(file.shell.get("shell_argument") or "-c")]
    if is_true(given.get("is_daemon", "false")):
        line = _kept(draft, line, given)
    shell.give(draft, line)
    set_variables(draft, dict(line.environment))


def _kept(draft: Draft, line: shell.Line, given: dict[str, Any]) -> shell.Line:
    """A command that goes to the background as one that stays: of pg_ctl the server itself, else a shell that waits."""
    words = line.words
    if words[0].rpartition("/")[2] == "pg_ctl" and (found := _postgres(words)):
        draft.notes.append("`pg_ctl start` goes to the background: the server is run itself")
        shutdown = mapping(given.get("shutdown"))
        if "pg_ctl" in str(shutdown.get("command", "")):
            given["shutdown"] = {**shutdown, "command": "", "signal": "2"}  # what `pg_ctl stop` sends: fast shutdown
        return shell.listed(found)
    command = str(mapping(given.get("shutdown")).get("command") or "").strip().replace("$$", "$")
    if command:
        given["shutdown"] = {**mapping(given.get("shutdown")), "command": ""}
    draft.notes.append("its command goes to the background: a shell waits in its place, and stops it")
    kept = background.kept(words, command)
    return shell.Line(kept, line.environment, line.ports, line.uses_port, "what it leaves behind")


def _postgres(words: list[str]) -> list[str] | None:
    """The server that `pg_ctl start` would start; None where it does something else."""
    found, options = [words[0][: -len("pg_ctl")] + "postgres"], list(words[1:])
    if "start" not in options:
        return None
    while options:
        word = options.pop(0)
        if word in ("start", "-w", "-W", "-s", "--wait", "--no-wait", "--silent"):
            continue
        if word in ("-l", "--log", "-t", "--timeout") and options:
            options.pop(0)
        elif word in ("-D", "--pgdata") and options:
            found += ["-D", options.pop(0)]
        elif word in ("-o", "--options") and options:
            found += options.pop(0).split()
        elif word.startswith("--pgdata="):
            found += ["-D", word.partition("=")[2]]
        else:
            return None
    return found
