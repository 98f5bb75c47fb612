"""circus.ini: the watchers of Circus, the sockets that it opens for them, and their variables."""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from supervisor.config import interpolate, placeholders
from supervisor.convert import limits, shell, supervisord_order
from supervisor.convert.around import ALONE, Around
from supervisor.convert.circus_files import Files, gathered
from supervisor.convert.copies import share
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.own_port import is_number
from supervisor.convert.values import account, duration, is_true, seconds, set_variables, signal_name, umask, whole
from supervisor.core.replicas import MOST as MOST_REPLICAS

MOST_COPIES = 32
GRACE = 30.0  # seconds, where nothing is said
_REFERENCE = re.compile(r"\$\(circus\.([\w.-]+)\)|\(\(circus\.([\w.-]+)\)\)|\$WID\b", re.IGNORECASE)
_OF_CIRCUSD = re.compile(r"\$([A-Z]+[A-Z0-9_]*)", re.ASCII)
_READ = frozenset((
    "args", "autostart", "check_flapping", "close_child_stderr", "close_child_stdin", "close_child_stdout", "cmd",
    "copy_env", "executable", "gid", "graceful_timeout", "max_retry", "numprocesses", "priority", "respawn", "shell",
    "singleton", "stop_children", "stop_signal", "uid", "use_sockets", "working_dir",
))  # fmt: skip
_WHY = {
    "copy_path": ("it puts the `sys.path` of circusd into PYTHONPATH", "set PYTHONPATH in `environment`"),
    "max_age": ("portsup restarts no service for its age", "`portsup restart` from a timer does it"),
    "max_age_variance": ("portsup restarts no service for its age", ""),
    "on_demand": ("it starts with the first connection", "it is started at once here"),
    "send_hup": ("it reloads by SIGHUP in place of a restart", "`portsup kill -s HUP SERVICE` sends it"),
    "shell_args": ("they are for the shell", "write them into `command`"),
    "stdin_socket": ("a socket as standard input has no word here", "let the program use `{fd}`"),
    "virtualenv": ("it puts a virtualenv into PYTHONPATH", "name that one's python in `command`"),
    "virtualenv_py_ver": ("it belongs to `virtualenv`", ""),
    "warmup_delay": ("services start as soon as they may", "let those that follow wait until it is ready"),
}
_GENERAL = {
    "warmup_delay": ("services start as soon as they may", "let those that follow wait until others are ready"),
}


def convert(text: str, around: Around = ALONE, more: Sequence[tuple[str, str]] = ()) -> Outcome:
    """One service a watcher, several for `numprocesses`; `more` are further files, as paths and texts.

    Raises PortsupError where a file cannot be read.
    """
    files = gathered(text, more, around)
    outcome = Outcome(left=files.left)
    sockets = dict(files.of("socket"))
    ranks: dict[str, int] = {}
    used: set[str] = set()
    for name, given in files.of("watcher"):
        if not given.get("cmd", "").strip():
            outcome.left.append(Left(f"`[watcher:{name}]`", "it has no `cmd`", "write the service by hand"))
            continue
        watcher = _Watcher(name, given, files, sockets)
        made = watcher.services(outcome)
        used |= watcher.used
        outcome.services += made
        ranks |= {each.name: -(whole(given.get("priority", "0").lstrip("-+"), 0, 10**9) or 0) for each in made}
    supervisord_order.depend(outcome.services, ranks, "what has a higher `priority` is started first")
    for name in sockets.keys() - used:
        outcome.left.append(Left(f"`[socket:{name}]`", "no watcher names it in its `cmd`", "", {name: sockets[name]}))
    for name, given in files.of("plugin"):
        outcome.left.append(
            Left(f"`[plugin:{name}]`", "there are no plugins", "read `portsup events -f --json`", given)
        )
    general = files.sections.get("circus", {})
    for key, (why, remedy) in _GENERAL.items():
        if general.get(key, "0") != "0":
            outcome.left.append(Left(f"`{key}` of `[circus]`", why, remedy))
    if is_true(general.get("httpd", "")) or is_true(general.get("statsd", "")):
        why = "there is no such server here"
        outcome.left.append(Left("`httpd` and `statsd` of `[circus]`", why, "`portsup status` and `portsup metrics`"))
    return outcome


def _value(text: str) -> str:
    """The value of a variable: `$NAME` in capitals is that of circusd's own, `$PATH:/opt/bin` for one."""
    if isinstance(text, Filled) or not _OF_CIRCUSD.search(text):
        return text
    parts = _OF_CIRCUSD.split(text)  # texts and names by turns
    literally = (placeholders.literally(interpolate.literally(each)) for each in parts[::2])
    names = [f"${{{each}:-}}" for each in parts[1::2]]
    return Filled("".join(each for pair in zip_longest(literally, names, fillvalue="") for each in pair))


class _Watcher:
    """One watcher on its way to services."""

    def __init__(
        self, name: str, given: Mapping[str, str], files: Files, sockets: Mapping[str, dict[str, str]]
    ) -> None:
        self.used: set[str] = set()  # sockets that it names
        self._name = name
        self._given = given
        self._sockets = {title.lower(): (title, keys) for title, keys in sockets.items()}
        self._variables = files.variables(name)
        self._mask = given.get("umask", files.sections.get("circus", {}).get("umask", ""))

    def services(self, outcome: Outcome) -> list[Draft]:
        """The services; none for one whose socket is not a port, which `outcome` gets as a comment."""
        told = self._given.get("numprocesses", "1")
        copies = whole(told, 0, 10**6)
        if copies is None:
            why = "the number of copies is not known here, one is written"
            outcome.left.append(Left(f"`numprocesses={told}` of `{self._name}`", why, "add the others by hand"))
        copies = 1 if copies is None or is_true(self._given.get("singleton", "")) else copies
        if copies > MOST_COPIES:
            why = f"these are {copies} copies, {MOST_COPIES} are written"
            outcome.left.append(Left(f"`numprocesses` of `{self._name}`", why, "add the others by hand"))
        first = self._copy(1, alone=copies < 2)
        if copies == 0:
            first.fields["autostart"] = False
        if not self.used:
            if copies > 1 and first.fields == self._copy(2, alone=False).fields and share(first, copies):
                first.name = self._name
                return [first]
            further = [self._copy(number, alone=False) for number in range(2, min(copies, MOST_COPIES) + 1)]
            return [first, *further]
        return self._with_socket(first, copies, outcome)

    def _with_socket(self, draft: Draft, copies: int, outcome: Outcome) -> list[Draft]:
        title, *others = sorted(self.used)
        keys = self._sockets[title.lower()][1]
        port = keys.get("port", "")
        if keys.get("path") or not is_number(port):
            told = keys.get("path") or f"port {port or 0}"
            why = f"its socket is `{told}`, and a pool has ports of TCP"
            remedy = "let it listen on a port, or make the socket itself"
            outcome.left.append(Left(f"`[watcher:{self._name}]`", why, remedy))
            # Whoever puts it in gives it the socket by other means.
            told = draft.fields["command"]
            draft.fields["command"] = (
                told.replace("{fd}", "3") if isinstance(told, str) else [word.replace("{fd}", "3") for word in told]
            )
            outcome.absent.append(draft)
            return []
        for other in others:
            draft.leave(f"`[socket:{other}]`", "a service gets one socket", "let it open the other one itself")
        if copies > 1:
            draft.name = self._name
            if not share(draft, copies):
                why = f"a service has at most {MOST_REPLICAS} replicas"
                draft.leave(f"`numprocesses={copies}`", why, "write fewer")
        draft.ports, draft.gets_port = [int(port)], True
        draft.fields |= {"handoff": "systemd", "ready": "started"}
        draft.notes.append("portsup opens its socket, which it finds as descriptor `{fd}`")
        return [draft]

    def _copy(self, number: int, *, alone: bool) -> Draft:
        given = self._given
        draft = Draft(self._name if alone else f"{self._name}-{number}", needs_port=True)
        references = shell.References(_REFERENCE, lambda match: self._written(match, number, draft), {})

        def expanded(text: str) -> str:
            return shell.listed_only([text], references)[0]

        text = " ".join(f"{given['cmd']} {given.get('args', '')}".split("\n")).strip()
        # Each word is quoted before a shell gets it (`shell = True`), so none of its signs means anything.
        shell.give(draft, shell.split(text, references) or shell.read(text, references))
        if executable := given.get("executable", ""):
            draft.leave(f"`executable={executable}`", "a program is run by its own name here", "name it in `command`")
        if directory := given.get("working_dir", ""):
            draft.fields["working_dir"] = expanded(directory)
        # Circus fills in none of its own references in them.
        set_variables(draft, {name: _value(value) for name, value in self._variables.items()})
        if not is_true(given.get("copy_env", "false")):
            draft.notes.append("Circus gives it no variables but these; here it has those of portsup, too")
        self._life(draft)
        for key, name in (("uid", "user"), ("gid", "group")):
            if who := given.get(key, ""):
                draft.carry(name, account(who), f"`{key}={who}`", f"set `{name}`")
        if self._mask:
            draft.carry("umask", umask(self._mask), f"`umask={self._mask}`", "set `umask` to three octal digits")
        self._leave(draft)
        return draft

    def _written(self, match: re.Match[str], number: int, draft: Draft) -> str:
        name = (match[1] or match[2] or "wid").lower()
        kind, _, word = name.partition(".")
        if name == "wid":
            return f"\0{number}"
        if kind == "sockets" and word in self._sockets:
            self.used.add(self._sockets[word][0])
            return "{fd}"
        if kind == "env":
            known = {key.lower(): value for key, value in self._variables.items()}
            if word in known and not _REFERENCE.search(known[word]):
                return "\0" + known[word]
            told = (match[1] or match[2]).partition(".")[2]
            return f"${{{told.upper() if told.islower() else told}:?Circus takes it from its environment}}"
        if name in self._given:
            return "\0" + self._given[name]
        draft.leave(f"`{match[0]}`", "portsup does not know it", "put its value there")
        return "\0" + match[0]

    def _life(self, draft: Draft) -> None:
        given = self._given
        if not is_true(given.get("autostart", "true")):
            draft.fields["autostart"] = False
        if is_true(given.get("respawn", "true")):
            draft.fields |= {"restart": "always", "restart_policy": {"max_restarts": "infinite"}}
        else:
            draft.fields["restart"] = "never"
        told = given.get("stop_signal", "")
        known = signal_name(told) if told else "SIGTERM"
        if not known:
            draft.leave(f"`stop_signal={told}`", "this system has no such signal", "set `stop_signal`")
        to_all = is_true(given.get("stop_children", "false"))
        draft.fields["stop_signal"] = (known or "SIGTERM") if to_all else {"signal": known or "SIGTERM", "to": "main"}
        grace = seconds(given.get("graceful_timeout", ""))
        draft.fields["stop_grace_period"] = duration(GRACE if grace is None else grace)

    def _leave(self, draft: Draft) -> None:
        rest: dict[str, str] = {}
        for key, value in self._given.items():
            if key.startswith("rlimit_"):
                limits.set_limit(draft, limits.NAMES.get(key.removeprefix("rlimit_"), ""), value, f"`{key}`")
            elif key.startswith("hooks."):
                why = "it is a function in Python"
                draft.leave(f"`{key}={value}`", why, "write a command that does it into `hooks`", {key: value})
            elif key.startswith(("stdout_stream.", "stderr_stream.")):
                if key.endswith(".filename"):
                    why = "portsup keeps the output in files of its own"
                    draft.leave(f"`{key}={value}`", why, "`portsup logs` shows them")
            elif key not in _WHY or value.strip().lower() not in ("", "0", "false", "no", "off"):
                rest[key] = value
        draft.leave_keys(rest, _WHY, _READ | {"umask"})
