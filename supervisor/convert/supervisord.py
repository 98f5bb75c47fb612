"""supervisord.conf: the sections `[program:x]` of supervisord 3 and 4."""

import os.path
import platform
import re
from collections.abc import Sequence

from supervisor.convert import own_port, paths, shell, supervisord_fcgi, supervisord_files, supervisord_order
from supervisor.convert.around import ALONE, Around
from supervisor.convert.copies import share
from supervisor.convert.draft import Draft, Left, Outcome
from supervisor.convert.supervisord_files import Section
from supervisor.convert.values import (
    account,
    codes,
    duration,
    is_true,
    log_size,
    seconds,
    set_variables,
    signal_name,
    umask,
    whole,
)

MOST_COPIES = 32
RESTART = {"true": "always", "false": "never", "unexpected": "on-failure"}
_EXPRESSION = re.compile(r"%\((\w+)\)(0?\d*)([sd])|%%", re.ASCII)
_VARIABLE = re.compile(r"""\s*([^=,\s]+)\s*=\s*("[^"]*"|'[^']*'|[^,]*)\s*(?:,|$)""")
# Keys of a program that are read here, or that say what portsup does in any case.
_READ = frozenset((
    "autorestart", "autostart", "command", "depends_on", "directory", "environment", "exitcodes", "killasgroup",
    "numprocs", "numprocs_start", "priority", "process_name", "redirect_stderr", "socket", "socket_backlog",
    "socket_mode", "socket_owner", "startretries", "startsecs", "stderr_logfile", "stderr_logfile_backups",
    "stderr_logfile_maxbytes", "stdout_logfile", "stdout_logfile_backups", "stdout_logfile_maxbytes", "stopasgroup",
    "stopsignal", "stopwaitsecs", "umask", "user",
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
# Programs that look for a relative path in a folder of their own, and not where they are started.
_OWN_FOLDER = re.compile(r"(?:\S*/)?(?:nginx|openresty|httpd|apache2|php-fpm[\d.]*)(?:\s|$)")
START_RETRIES, START_SECONDS = 3, 1.0  # what supervisord takes where nothing is said
_WHY = {
    "stdout_events_enabled": ("there are no event listeners", "follow `portsup logs -f`"),
    "stderr_events_enabled": ("there are no event listeners", "follow `portsup logs -f`"),
    "stdout_syslog": ("output goes to files", "read `portsup logs`"),
    "stderr_syslog": ("output goes to files", "read `portsup logs`"),
    "stdout_capture_maxbytes": ("there are no event listeners", "follow `portsup logs -f`"),
    "stderr_capture_maxbytes": ("there are no event listeners", "follow `portsup logs -f`"),
    "serverurl": ("it is of supervisord", "let the program ask `portsup` in its place"),
}


def convert(text: str, around: Around = ALONE, more: Sequence[tuple[str, str]] = (), folder: str = "") -> Outcome:
    """One service a program, several for `numprocs`; `more` are further files, as paths and texts.

    `folder` is that of the file, and `around` that where supervisord is started. Raises PortsupError where a file
    cannot be read.
    """
    files = supervisord_files.gathered(text, list(more), around, folder)
    outcome = Outcome(left=files.left)
    own = [each for each in files.sections if each.name == "supervisord"]
    of_all = Section("supervisord", {key: value for each in own for key, value in each.keys.items()}, "")
    of_all.here = own[-1].here if own else ""
    ranks: dict[str, int] = {}
    for section in files.sections:
        kind, _, name = section.name.partition(":")
        kind, name = kind.strip(), name.strip()
        if kind in ("program", "fcgi-program") and name:
            section.group = supervisord_order.group_of(name, files.sections)
            made = _program(name, section, of_all, outcome, around, is_fcgi=kind == "fcgi-program")
            outcome.services += made
            rank = supervisord_order.rank(name, section.keys, files.sections)
            ranks |= {each.name: rank for each in made}
        else:
            _leave_section(section.name, kind, section.keys, outcome)
    supervisord_order.depend(outcome.services, ranks)
    for key, (why, remedy) in _GENERAL.items():
        if of_all.keys.get(key, "") not in ("", _DEFAULTS.get(key)):
            outcome.left.append(Left(f"`{key}={of_all.keys[key]}` of `[supervisord]`", why, remedy))
    return outcome


def _leave_section(section: str, kind: str, given: dict[str, str], outcome: Outcome) -> None:
    quoted = f"`[{section}]`"
    match kind:
        case "eventlistener":
            outcome.left.append(
                Left(quoted, "there are no event listeners", "read `portsup events -f --json`", {section: given})
            )
        case "group":
            named = given.get("programs", "").replace(",", " ").split() or ["a", "b"]
            remedy = f"name several services: `portsup restart {' '.join(named)}`"
            outcome.left.append(Left(quoted, "there are no groups", remedy))
        case _ if kind in _OWN or kind == "include" or not given:
            return  # portsup has a control socket of its own
        case _:
            outcome.left.append(Left(quoted, "it is no program", "see whether you need it", {section: given}))


def _program(
    name: str, section: Section, of_all: Section, outcome: Outcome, around: Around, *, is_fcgi: bool
) -> list[Draft]:
    given = section.keys
    if not given.get("command", "").strip():
        outcome.left.append(Left(f"`[{section.name}]`", "it has no `command`", "write the service by hand"))
        return []
    copies = whole(told := given.get("numprocs", "1"), 1, 10**6) or 1
    if whole(told, 1, 10**6) is None:
        why = "the number of copies is not known here, one is written"
        outcome.left.append(Left(f"`numprocs={told}` of `{name}`", why, "add the others by hand"))
    start = whole(given.get("numprocs_start", "0"), 0, 10**6) or 0
    if copies > 1 and not is_fcgi and _are_alike(given):
        draft = _copy(name, section, of_all, start, 1, around)
        if share(draft, copies):
            return [draft]
    if copies > MOST_COPIES:
        why = f"these are {copies} copies, {MOST_COPIES} are written"
        outcome.left.append(Left(f"`numprocs` of `{name}`", why, "add the others by hand"))
    if is_fcgi:
        return supervisord_fcgi.made(_copy(name, section, of_all, start, 1, around), given, copies, outcome)
    numbers = range(start, start + min(copies, MOST_COPIES))
    return [_copy(name, section, of_all, number, copies, around) for number in numbers]


def _are_alike(given: dict[str, str]) -> bool:
    """Whether nothing tells the copies of a program apart but their names and their logs."""
    told = (value for key, value in given.items() if key != "process_name" and not key.endswith("_logfile"))
    return not any("%(process_num)" in value or "%(numprocs)" in value for value in told)


def _copy(name: str, section: Section, of_all: Section, number: int, copies: int, around: Around) -> Draft:
    given, general = section.keys, of_all.keys
    draft = Draft(name if copies == 1 else f"{name}-{number}", needs_port=True)
    unknown: list[str] = []
    known = {"program_name": name, "group_name": section.group, "here": section.here or ".", "process_num": str(number)}
    known |= {"numprocs": str(copies), "host_node_name": platform.node()}

    def written(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "\0%"
        word = match[1]
        if word.startswith("ENV_"):
            return f"${{{word[4:]}:?supervisord takes it from its environment}}"
        if word not in known:
            unknown.append(word)
            return "\0" + match[0]
        return "\0" + (known[word].zfill(int(match[2] or 0)) if match[3] == "d" and len(match[2]) < 3 else known[word])

    references = shell.References(_EXPRESSION, written, {})

    def expanded(text: str) -> str:
        return shell.listed_only([text], references)[0]

    of_all_here = of_all.here or "."
    if directory := given.get("directory", general.get("directory", "")):
        folder = draft.fields["working_dir"] = expanded(directory)
        known["here"], of_all_here = (_from(here, folder, around) for here in (known["here"], of_all_here))
    relative = known["here"]
    if _OWN_FOLDER.match(given["command"].strip()) and around.absolute():
        known["here"] = os.path.normpath(os.path.join(around.absolute(), section.here))
    _command(draft, given["command"], references)
    known["here"] = relative
    if isinstance(words := draft.fields["command"], list):
        draft.further += own_port.of_nginx(words, around.read)
    draft.keep_stdin()
    for word in dict.fromkeys(unknown):
        draft.leave(f"`%({word})s`", "portsup does not know it", "put its value there")
    variables = {key: expanded(value) for key, value in _variables(given.get("environment", ""))}
    known["here"] = of_all_here  # in these it is the folder of the file with `[supervisord]`
    of_supervisord = {key: expanded(value) for key, value in _variables(general.get("environment", ""))}
    set_variables(draft, {**of_supervisord, **variables})
    _times(draft, given)
    _logs(draft, given)
    if user := given.get("user", ""):
        draft.carry("user", account(user), f"`user={user}`", "set `user` and `group`")
    if mask := given.get("umask", general.get("umask", "")):
        draft.carry("umask", umask(mask), f"`umask={mask}`", "set `umask` to three octal digits")
    if "autostart" in given and not is_true(given["autostart"]):
        draft.fields["autostart"] = False
    if needed := given.get("depends_on", "").replace(",", " ").split():
        draft.fields["depends_on"] = dict.fromkeys(needed, "started")
    for key, (why, remedy) in _WHY.items():
        if given.get(key, "").lower() not in ("", "0", "false", "off", "no", _DEFAULTS.get(key, "").lower()):
            draft.leave(f"`{key}={given[key]}`", why, remedy)
    draft.leave_keys(given, {}, _READ | _WHY.keys())
    return draft


def _from(here: str, folder: str, around: Around) -> str:
    """The folder of the file as a program in `folder` has to write it."""
    if folder == here:
        return "."
    if not folder.startswith(("/", "~", "$")):
        return paths.relative(here, folder)
    return os.path.normpath(os.path.join(around.absolute(), here)) if around.absolute() else here


def _command(draft: Draft, text: str, references: shell.References) -> None:
    """supervisord splits a command like a shell and runs it without one; only `%(ENV_X)s` is filled in."""
    text = " ".join(text.split("\n"))
    line = shell.split(text, references) or shell.read(text, references)
    shell.give(draft, line)
    if line.environment:  # without a shell `A=1 program` is the name of a program; `env` makes it what was meant
        set_variables(draft, dict(line.environment))


def _variables(text: str) -> list[tuple[str, str]]:
    found = []
    for match in _VARIABLE.finditer(text.replace("\n", " ")):
        value = match[2].strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found.append((match[1], value))
    return found


def _times(draft: Draft, given: dict[str, str]) -> None:
    draft.fields["restart"] = RESTART.get(given.get("autorestart", "unexpected").strip().lower(), "on-failure")
    if told := given.get("exitcodes", ""):
        codes(draft, told.replace(",", " ").split(), f"`exitcodes={told}`")
    retries, up = whole(given.get("startretries", ""), 0, 1_000_000), seconds(given.get("startsecs", ""))
    up = START_SECONDS if up is None else up
    if draft.fields["restart"] != "never":
        # What was up for `startsecs` has started, and is restarted without end; what was not is tried again so often.
        most: int | str = "infinite" if up == 0 else START_RETRIES if retries is None else retries
        draft.fields["restart_policy"] = {"delay": "1s", "max_restarts": most}
        if up:
            draft.fields["restart_policy"]["period"] = duration(up)
    elif up:
        draft.notes.append("supervisord also tries again what ends before its `startsecs` are over; this ends for good")
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
