"""supervisord.conf: the sections `[program:x]` of supervisord 3 and 4."""

import configparser
import re

from supervisor.convert import shell
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.values import (
    account,
    codes,
    duration,
    filled,
    is_true,
    log_size,
    seconds,
    set_variables,
    signal_name,
    umask,
    whole,
)
from supervisor.errors import PortsupError

MOST_COPIES = 32
RESTART = {"true": "always", "false": "never", "unexpected": "on-failure"}
_EXPRESSION = re.compile(r"%\((\w+)\)(0?\d*)([sd])|%%", re.ASCII)
_VARIABLE = re.compile(r"""\s*([^=,\s]+)\s*=\s*("[^"]*"|'[^']*'|[^,]*)\s*(?:,|$)""")
# Keys of a program that are read here, or that say what portsup does in any case.
_READ = frozenset((
    "autorestart", "autostart", "command", "directory", "environment", "exitcodes", "killasgroup", "numprocs",
    "numprocs_start", "process_name", "redirect_stderr", "startretries", "startsecs", "stderr_logfile",
    "stderr_logfile_backups", "stderr_logfile_maxbytes", "stdout_logfile", "stdout_logfile_backups",
    "stdout_logfile_maxbytes", "stopasgroup", "stopsignal", "stopwaitsecs", "umask", "user",
))  # fmt: skip
_DEFAULTS = {  # as the sample file of supervisord has them
    "minfds": "1024", "minprocs": "200", "priority": "999", "serverurl": "AUTO",
}  # fmt: skip
_GENERAL = {  # of supervisord itself, with an effect on its programs
    "minfds": ("it raises a limit of all programs", "set `limits: {nofile: …}`"),
    "minprocs": ("it raises a limit of all programs", "set `limits: {nproc: …}`"),
    "user": ("portsup runs as who starts it", "start it as that user"),
}
_OWN = ("supervisord", "unix_http_server", "inet_http_server", "supervisorctl", "rpcinterface")
_WHY = {
    "priority": ("portsup starts all at once, in the order of `depends_on`", "name what it needs in `depends_on`"),
    "stdout_events_enabled": ("there are no event listeners", "follow `portsup logs -f`"),
    "stderr_events_enabled": ("there are no event listeners", "follow `portsup logs -f`"),
    "stdout_syslog": ("output goes to files", "read `portsup logs`"),
    "stderr_syslog": ("output goes to files", "read `portsup logs`"),
    "stdout_capture_maxbytes": ("there are no event listeners", "follow `portsup logs -f`"),
    "stderr_capture_maxbytes": ("there are no event listeners", "follow `portsup logs -f`"),
    "serverurl": ("it is of supervisord", "let the program ask `portsup` in its place"),
}


def convert(text: str) -> Outcome:
    """One service a program, several for `numprocs`; raises PortsupError where the file can not be read."""
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"), allow_no_value=True)
    try:
        parser.read_string(text.replace("\0", ""))
    except configparser.Error as error:
        why = " ".join(str(error).split())[:200]
        raise PortsupError("cannot read the file of supervisord", why) from error
    outcome = Outcome()
    sections = {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}
    general = sections.get("supervisord", {})
    for section, given in sections.items():
        kind, _, name = section.partition(":")
        kind, name = kind.strip(), name.strip()
        if kind == "program" and name:
            outcome.services += _program(name, given, general, outcome)
        else:
            _leave_section(section, kind, given, outcome)
    for key, (why, remedy) in _GENERAL.items():
        if general.get(key, "") not in ("", _DEFAULTS.get(key)):
            outcome.left.append(Left(f"`{key}={general[key]}` of `[supervisord]`", why, remedy))
    return outcome


def _leave_section(section: str, kind: str, given: dict[str, str], outcome: Outcome) -> None:
    quoted = f"`[{section}]`"
    match kind:
        case "include":
            files = " ".join(given.get("files", "").split())
            outcome.left.append(
                Left(quoted, f"other files are not followed ({files})", "convert each, and put the services together")
            )
        case "eventlistener":
            outcome.left.append(Left(quoted, "there are no event listeners", "read `portsup events -f --json`"))
        case "fcgi-program":
            remedy = "write a service with `handoff: systemd`: its socket is descriptor 3, not 0"
            outcome.left.append(Left(quoted, "its socket is passed as descriptor 0", remedy))
        case "group":
            named = given.get("programs", "").replace(",", " ").split() or ["a", "b"]
            remedy = f"name several services: `portsup restart {' '.join(named)}`"
            outcome.left.append(Left(quoted, "there are no groups", remedy))
        case _ if kind in _OWN or not given:
            return  # portsup has a control socket of its own
        case _:
            outcome.left.append(Left(quoted, "it is no program", "see whether you need it"))


def _program(name: str, given: dict[str, str], general: dict[str, str], outcome: Outcome) -> list[Draft]:
    if not given.get("command", "").strip():
        outcome.left.append(Left(f"`[program:{name}]`", "it has no `command`", "write the service by hand"))
        return []
    copies = whole(told := given.get("numprocs", "1"), 1, 10**6) or 1
    if whole(told, 1, 10**6) is None:
        why = "the number of copies is not known here, one is written"
        outcome.left.append(Left(f"`numprocs={told}` of `{name}`", why, "add the others by hand"))
    start = whole(given.get("numprocs_start", "0"), 0, 10**6) or 0
    if copies > MOST_COPIES:
        why = f"these are {copies} copies, {MOST_COPIES} are written"
        outcome.left.append(Left(f"`numprocs` of `{name}`", why, "add the others by hand"))
    numbers = range(start, start + min(copies, MOST_COPIES))
    return [_copy(name, given, general, number, copies) for number in numbers]


def _copy(name: str, given: dict[str, str], general: dict[str, str], number: int, copies: int) -> Draft:
    draft = Draft(name if copies == 1 else f"{name}-{number}")
    unknown: list[str] = []
    known = {"program_name": name, "group_name": name, "here": ".", "process_num": str(number)}
    known["numprocs"] = str(copies)

    def expand(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        word = match[1]
        if word.startswith("ENV_"):
            return f"${{{word[4:]}}}"
        if word not in known:
            unknown.append(word)
            return match[0]
        return known[word].zfill(int(match[2] or 0)) if match[3] == "d" and len(match[2]) < 3 else known[word]

    expanded = {key: _EXPRESSION.sub(expand, value) for key, value in given.items()}
    _command(draft, given["command"], expanded["command"])
    draft.keep_stdin()
    for word in dict.fromkeys(unknown):
        draft.leave(f"`%({word})s`", "portsup does not know it", "put its value there")
    for source in (general.get("environment", ""), expanded.get("environment", "")):
        set_variables(draft, dict(_variables(_EXPRESSION.sub(expand, source))))
    if directory := expanded.get("directory", general.get("directory", "")):
        draft.fields["working_dir"] = filled(directory) if "${" in directory else directory
    _times(draft, given)
    _logs(draft, given)
    if user := given.get("user", ""):
        draft.carry("user", account(user), f"`user={user}`", "set `user` and `group`")
    if mask := given.get("umask", general.get("umask", "")):
        draft.carry("umask", umask(mask), f"`umask={mask}`", "set `umask` to three octal digits")
    if "autostart" in given and not is_true(given["autostart"]):
        draft.fields["autostart"] = False
    for key, (why, remedy) in _WHY.items():
        if given.get(key, "").lower() not in ("", "0", "false", "off", "no", _DEFAULTS.get(key, "").lower()):
            draft.leave(f"`{key}={given[key]}`", why, remedy)
    if (long := seconds(given.get("startsecs", ""))) is not None and long > 1:
        what = f"`startsecs={given['startsecs']}`"
        draft.leave(what, "`ready` says when a service is up", "set `ready` to what tells that")
    draft.leave_keys(given, {}, _READ | _WHY.keys())
    return draft


def _command(draft: Draft, raw: str, text: str) -> None:
    """supervisord splits a command like a shell and runs it without one; only `%(ENV_X)s` is filled in."""
    line = shell.read(text)
    refers = "${" in text and "%(ENV_" in raw
    if line.why_shell and not refers:
        line = shell.split(text) or line
    elif refers and (words := shell.split(text)):
        line = words
        line.words = [filled(word) if "${" in word and not isinstance(word, Filled) else word for word in line.words]
    shell.give(draft, line)
    if line.environment:  # without a shell `A=1 program` is the name of a program; `env` makes it what was meant
        set_variables(draft, dict(line.environment))


def _variables(text: str) -> list[tuple[str, str]]:
    found = []
    for match in _VARIABLE.finditer(text.replace("\n", " ")):
        value = match[2].strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found.append((match[1], filled(value) if "${" in value else value))
    return found


def _times(draft: Draft, given: dict[str, str]) -> None:
    draft.fields["restart"] = RESTART.get(given.get("autorestart", "unexpected").strip().lower(), "on-failure")
    if told := given.get("exitcodes", ""):
        codes(draft, told.replace(",", " ").split(), f"`exitcodes={told}`")
    if (retries := whole(given.get("startretries", ""), 0, 1_000_000)) is not None:
        draft.fields["restart_policy"] = {"max_restarts": retries}
    known = signal_name(name) if (name := given.get("stopsignal", "")) else None
    if name and not known:
        draft.leave(f"`stopsignal={name}`", "this system has no such signal", "set `stop_signal`")
    if is_true(given.get("stopasgroup", "false")):
        draft.fields["stop_signal"] = known
    else:
        draft.fields["stop_signal"] = {"signal": known or "SIGTERM", "to": "main"}
    if (grace := seconds(given.get("stopwaitsecs", ""))) is not None:
        draft.fields["stop_grace_period"] = duration(grace)


def _logs(draft: Draft, given: dict[str, str]) -> None:
    limits: dict[str, int] = {}
    if (size := log_size(given.get("stdout_logfile_maxbytes", ""))) is not None:
        limits["max_size"] = size
    if (backups := whole(given.get("stdout_logfile_backups", ""), 0, 1000)) is not None:
        limits["backups"] = backups
    if limits:
        draft.fields["logging"] = limits
    for key in ("stdout_logfile", "stderr_logfile"):
        path = given.get(key, "")
        if path and path.upper() not in ("AUTO", "NONE", "SYSLOG") and not path.startswith(("/dev/", "/proc/")):
            draft.leave(f"`{key}={path}`", "portsup keeps the output in files of its own", "`portsup logs` shows them")
