"""process-compose.yaml: processes, each a command for a shell."""

import re
from typing import Any

from supervisor.convert import probes, shell
from supervisor.convert.draft import Draft, Left, Outcome
from supervisor.convert.layers import begin
from supervisor.convert.values import (
    LONGEST,
    duration,
    is_true,
    log_size,
    mapping,
    maybe_filled,
    pairs,
    seconds,
    set_variables,
    signal_name,
    texts,
    whole,
)

CONDITIONS = {
    "process_started": "started",
    "process_healthy": "ready",
    "process_log_ready": "ready",
    "process_completed": "completed",
    "process_completed_successfully": "completed_ok",
}
RESTART = {"no": "never", "false": "never", "always": "always", "on_failure": "on-failure", "exit_on_failure": "never"}
MOST_COPIES = 32
DEFAULT_TIMEOUT = 10.0  # seconds that a `shutdown.command` may take
_TEMPLATE = re.compile(r"\{\{\s*\.PC_REPLICA_NUM\s*\}\}")
_WHY = {
    "is_daemon": ("a program that goes to the background is lost", "run it in the foreground"),
    "is_tty": ("services have no terminal", "see that the program does without"),
    "is_interactive": ("services have no terminal", "see that the program does without"),
    "is_foreground": ("services have no terminal", "run it by hand beside portsup"),
    "is_elevated": ("it would need sudo", "run portsup as root if it has to be"),
    "namespace": ("there are no namespaces", "name several services: `portsup restart a b`"),
    "log_location": ("portsup keeps the output in files of its own", "`portsup logs` shows them"),
    "vars": ("there are no templates", "put the values where they are used"),
    "schedule": ("nothing is started by the clock", "use cron or a systemd timer with `portsup start`"),
    "scheduled": ("nothing is started by the clock", "use cron or a systemd timer with `portsup start`"),
    "launch_timeout_seconds": ("it is for programs in the background", "set `ready: {timeout: …}`"),
    "mcp": ("it is of process-compose", "see whether you need it"),
}
_READ = frozenset((
    "availability", "command", "depends_on", "description", "disabled", "entrypoint", "env_file", "environment",
    "liveness_probe", "log_configuration", "readiness_probe", "ready_log_line", "replicas", "shutdown",
    "working_dir", "disable_ansi_colors", "disable_dotenv", "is_disabled", "is_dotenv_disabled",
))  # fmt: skip

# Keys of the file itself; those of the program, such as how its screen looks, are of no use here.
_WHY_TOP = {
    "log_location": ("portsup keeps the output in files of its own", "`portsup logs` shows them"),
    "log_configuration": ("portsup keeps the output in files of its own", "set `logging` where it should be other"),
    "disable_env_expansion": ("`${VAR}` is filled in", "write `$${VAR}` where it is meant as it is"),
    "vars": ("there are no templates", "put the values where they are used"),
    "env_cmds": ("variables are not made by commands", "set them outside, or in a script around `portsup up`"),
}
_READ_TOP = frozenset((
    "disable_tui", "environment", "extends", "is_strict", "is_tui_disabled", "log_format", "log_length", "log_level",
    "log_no_color", "name", "ordered_shutdown", "processes", "shell", "theme", "version",
))  # fmt: skip


def convert(data: Any) -> Outcome:
    """One service a process, several for `replicas`."""
    top, processes, outcome = begin(data, "processes", "the file of process-compose")
    general = dict(pairs(top.get("environment")))
    for key, value in top.items():
        if key in _WHY_TOP and value not in (None, "", "false", [], {}):
            outcome.left.append(Left(f"`{key}`", *_WHY_TOP[key]))
        elif key not in _WHY_TOP and key not in _READ_TOP and not key.startswith("x-"):
            outcome.left.append(Left(f"`{key}`", "portsup does not know it", "see whether you need it"))
    wanted = {name: whole(mapping(item).get("replicas", 1), 1, 10**6) or 1 for name, item in processes.items()}
    copies = {name: _copies(name, min(number, MOST_COPIES)) for name, number in wanted.items()}
    for name, item in processes.items():
        given = mapping(item)
        if not texts(given.get("command")) and not texts(given.get("entrypoint")):
            outcome.left.append(Left(f"process `{name}`", "it has no command", "write the service by hand"))
            continue
        if wanted[name] > MOST_COPIES:
            why = f"these are {wanted[name]} copies, {MOST_COPIES} are written"
            outcome.left.append(Left(f"`replicas` of `{name}`", why, "add the others by hand"))
        needed = mapping(given.get("depends_on"))
        given["depends_on"] = {each: how for other, how in needed.items() for each in copies.get(other, [other])}
        run = " ".join([*texts(given.get("command")), *texts(given.get("entrypoint"))])
        for number, own_name in enumerate(copies[name]):
            told = {"PC_PROC_NAME": name, "PC_REPLICA_NUM": str(number)}
            known = {**general, **{variable: value for variable, value in told.items() if variable in run}}
            outcome.services.append(_process(own_name, _numbered(given, str(number)), known, top))
    return outcome


def _copies(name: str, number: int) -> list[str]:
    return [name] if number == 1 else [f"{name}-{each}" for each in range(number)]


def _numbered(value: Any, number: str) -> Any:
    """The same data with the number of the replica filled in."""
    match value:
        case str():
            return _TEMPLATE.sub(number, value)
        case dict():
            return {key: _numbered(item, number) for key, item in value.items()}
        case list():
            return [_numbered(item, number) for item in value]
    return value


def _process(name: str, given: dict[str, Any], general: dict[str, str | None], top: dict[str, Any]) -> Draft:
    draft = Draft(name)
    _command(draft, given, mapping(top.get("shell")))
    for variables in (general, dict(pairs(given.get("environment")))):
        set_variables(draft, {key: None if text is None else maybe_filled(text) for key, text in variables.items()})
    if description := given.get("description"):
        draft.fields["description"] = str(description)[:1000]
    if folder := given.get("working_dir"):
        draft.fields["working_dir"] = maybe_filled(str(folder))
    files = [{"path": maybe_filled(path), "required": True} for path in texts(given.get("env_file")) if path.strip()]
    if files:
        draft.fields["env_file"] = files
    needed = {
        other: CONDITIONS.get(str(mapping(item).get("condition")), "started")
        for other, item in mapping(given.get("depends_on")).items()
    }
    if needed:
        draft.fields["depends_on"] = needed
    if is_true(given.get("is_disabled") or given.get("disabled", "false")):
        draft.fields["autostart"] = False
    _probes(draft, given)
    _end(draft, given)
    for part in ("availability", "shutdown", "readiness_probe", "liveness_probe"):
        for key, value in mapping(given.get(part)).items():
            if key != "command" and isinstance(value, str) and "$" in value:
                draft.leave(f"`{key}: {value}` of `{part}`", "its value is not known here", "set it by hand")
    is_off = (key for key in _WHY if given.get(key) in (None, "false", ""))
    draft.leave_keys([key for key in given if key not in set(is_off)], _WHY, _READ)
    if any("{{" in str(text) for text in (given.get("command"), *texts(given.get("entrypoint")))):
        draft.leave("`{{…}}` in the command", "there are no templates", "put the value there")
    return draft


def _command(draft: Draft, given: dict[str, Any], shell_of: dict[str, Any]) -> None:
    entry = texts(given.get("entrypoint"))
    told = given.get("command")
    if isinstance(told, list) or (entry and not told):
        shell.give(draft, shell.listed([maybe_filled(word) for word in (*entry, *texts(told))]))
        return
    text = str(told or "")
    line = shell.read(text.replace("$$", "$"))
    program = str(shell_of.get("shell_command") or "")
    if line.why_shell and program and re.fullmatch(r"[\w/.-]+", program):
        line.words[:2] = [program, str(shell_of.get("shell_argument") or "-c")]
    shell.give(draft, line)
    set_variables(draft, dict(line.environment))


def _probe(draft: Draft, given: dict[str, Any]) -> dict[str, Any] | None:
    if command := mapping(given.get("exec")).get("command"):
        return probes.from_command(probes.shell_words(str(command)), draft)
    asked = mapping(given.get("http_get"))
    if not asked:
        return None
    host = str(asked.get("host") or "127.0.0.1")
    if host not in ("127.0.0.1", "localhost", "0.0.0.0", "::1") or str(asked.get("scheme") or "http") != "http":
        where = f"{asked.get('scheme') or 'http'}://{host}"
        draft.leave(f"the probe of `{where}`", "portsup asks the service itself, by http", "use `exec: [curl, …]`")
        return None
    sent = {name: maybe_filled(", ".join(texts(value))) for name, value in mapping(asked.get("headers")).items()}
    good = whole(asked.get("status_code", ""), 100, 400)
    return probes.http(str(asked.get("path") or "/"), str(asked.get("port") or ""), draft, sent, good)


def _probes(draft: Draft, given: dict[str, Any]) -> None:
    for key in ("readiness_probe", "liveness_probe"):
        asked = mapping(given.get(key))
        probe = _probe(draft, asked)
        if probe is None:
            continue
        interval = seconds(asked.get("period_seconds")) or 10.0
        retries = whole(asked.get("failure_threshold", 3), 1, 1000) or 3
        if key == "readiness_probe":
            first = seconds(asked.get("initial_delay_seconds")) or 0.0
            draft.fields["ready"] = probes.ready(probe, first + interval * retries)
        else:
            timeout = seconds(asked.get("timeout_seconds"))
            draft.fields["healthcheck"] = probes.healthcheck(probe, interval, timeout, retries)
        if (whole(asked.get("success_threshold", 1), 1, 1000) or 1) > 1:
            draft.leave(f"`success_threshold` of `{key}`", "one success is enough", "see whether that will do")
    if line := given.get("ready_log_line"):
        draft.fields["ready"] = {"log": re.escape(str(line))[:1000].rstrip("\\")}


def _end(draft: Draft, given: dict[str, Any]) -> None:
    policy = mapping(given.get("availability"))
    told = str(policy.get("restart") or "no")
    draft.fields["restart"] = RESTART.get(told, "never")
    wait, most = seconds(policy.get("backoff_seconds")), whole(policy.get("max_restarts"), 0, 1_000_000)
    limits: dict[str, Any] = {}
    if wait:
        limits |= {"delay": duration(wait), "max_delay": duration(max(wait, 30.0))}
    if draft.fields["restart"] != "never":
        limits["max_restarts"] = most or "infinite"  # there 0 is without end, and so it is where nothing is said
    if limits:
        draft.fields["restart_policy"] = limits
    if is_true(policy.get("exit_on_end", "false")):
        draft.fields["on_end"] = "stop_all"
    elif told == "exit_on_failure":
        draft.fields["on_end"] = {"failure": "stop_all"}
    if is_true(policy.get("exit_on_skipped", "false")) and "on_end" not in draft.fields:
        draft.fields["on_end"] = {"failure": "stop_all"}
        draft.notes.append("`exit_on_skipped` ended all when what it depends on failed; now its own failure does, too")
    shutdown = mapping(given.get("shutdown"))
    known = signal_name(shutdown["signal"]) if shutdown.get("signal") else None
    if is_true(shutdown.get("parent_only", "false")):
        draft.fields["stop_signal"] = {"signal": known or "SIGTERM", "to": "main"}
    elif known:
        draft.fields["stop_signal"] = known
    grace = seconds(shutdown.get("timeout_seconds"))
    if command := str(shutdown.get("command") or "").strip():
        draft.fields["stop_command"] = shell.beside(command.replace("$$", "$"))
        grace = min(2 * (DEFAULT_TIMEOUT if grace is None else grace), LONGEST)  # half of it is for the command
    if grace is not None:
        draft.fields["stop_grace_period"] = duration(grace)
    rotation = mapping(mapping(given.get("log_configuration")).get("rotation"))
    found = {
        "max_size": log_size(f"{rotation.get('max_size_mb', '')}m"),
        "backups": whole(rotation.get("max_backups"), 0, 1000),
    }
    if any(value is not None for value in found.values()):
        draft.fields["logging"] = {key: value for key, value in found.items() if value is not None}
