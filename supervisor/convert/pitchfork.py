"""pitchfork.toml: daemons, each a command for a shell."""

import re
import tomllib
from typing import Any

from supervisor.config import placeholders
from supervisor.convert import newer_toml, own_port, probes, shell
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import SCHEDULED, WATCHED, Draft, Filled, Left, Outcome
from supervisor.convert.values import (
    account,
    cleaned,
    duration,
    is_true,
    mapping,
    memory,
    seconds,
    set_variables,
    signal_name,
    texts,
    whole,
)
from supervisor.errors import PortsupError

_OTHER = r"daemons(?:\.(?P<name>[\w-]+)|\[\s*[\"'](?P<quoted>[\w.-]+)[\"']\s*\])"
_TEMPLATE = re.compile(
    rf"\{{\{{\s*(?:{_OTHER}\.(?P<what>name|ports?)(?:\[(?P<at>\d)\])?|env\.(?P<variable>\w+)|(?P<own>name))\s*\}}\}}",
    re.ASCII,
)
_ANY_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_FIRST_PORT = re.compile(r"\$(?:PORT0\b|\{PORT0\})", re.ASCII)
_WHY = {
    "watch": WATCHED,
    "watch_mode": ("it is how pitchfork watches", ""),
    "cron": SCHEDULED,
    "cpu_limit": ("there is no limit of processor shares", "see `limits`"),
    "proxy": ("there is no proxy", "`portsup url` shows the address"),
    "pty": ("services have no terminal", "see that the program does without"),
    "logs": ("portsup goes by the size of its log files", "see `logging`"),
    "line_retention": ("portsup goes by the size of its log files", "see `logging`"),
    "time_retention": ("portsup goes by the size of its log files", "see `logging`"),
    "archive_hook": ("old lines are thrown away without a command", "read `portsup logs` in time"),
}

_READ = frozenset((
    "run", "dir", "env", "user", "retry", "auto", "ready_delay", "ready_output", "ready_http", "ready_port",
    "ready_cmd", "depends", "port", "expected_port", "auto_bump_port", "port_bump_attempts", "boot_start", "hooks",
    "memory_limit", "stop_signal", "description", "mise",
))  # fmt: skip
GRACE = 5.0  # seconds, `supervisor.stop_timeout` where nothing is said
LONGEST_CHECK = 10.0  # seconds that a command of a check may take
DELAY = 3.0  # seconds after which a daemon without a check is ready
_HOOKS = {"on_ready": "post_start", "on_exit": "post_stop"}


def convert(text: str, around: Around = ALONE) -> Outcome:
    """One service a daemon; raises PortsupError where the file is no TOML."""
    try:
        top = mapping(cleaned(newer_toml.read(text)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PortsupError("cannot read the file of pitchfork", f"it is no TOML: {error}") from error
    outcome = Outcome(name=str(top.get("namespace") or ""))
    daemons = {name: mapping(item) for name, item in mapping(top.get("daemons")).items()}
    settings = mapping(top.get("settings"))
    of_all = mapping(settings.get("supervisor"))
    user, grace = str(of_all.get("user") or ""), seconds(of_all.get("stop_timeout"))
    needed = {each.rpartition("/")[2] for item in daemons.values() for each in texts(item.get("depends"))}
    by_mise = is_true(mapping(settings.get("general")).get("mise", "false"))
    program = str(mapping(settings.get("general")).get("shell") or "").split()
    if is_true(mapping(settings.get("proxy")).get("enable", "false")):
        remedy = "`names` gives each service a name, `portsup url` shows its address"
        outcome.left.append(Left("`settings.proxy`", "the proxy of pitchfork is no service", remedy))
    general = mapping(top.get("env"))
    for name, item in daemons.items():
        given = {
            "mise": by_mise,
            **({"user": user} if user else {}),
            **item,
            "env": {**general, **mapping(item.get("env"))},
        }
        if not isinstance(given.get("run"), str) or not given["run"].strip():
            why = "its `run` is no text, which pitchfork refuses" if given.get("run") else "it has no `run`"
            outcome.left.append(Left(f"daemon `{name}`", why, "write the service by hand", source=mapping(item)))
            continue
        draft = _daemon(name, given, daemons)
        draft.fields.setdefault("stop_grace_period", duration(GRACE if grace is None else grace))
        if draft.fields.get("ready") == "started":
            _delay(draft, seconds(given.get("ready_delay")), is_needed=name in needed)
        if len(program) > 1 and draft.fields["command"][:2] == ["sh", "-c"]:
            draft.fields["command"][:2] = program
        if is_true(given["mise"]):
            words = draft.fields["command"]
            draft.fields["command"] = f"mise x -- {words}" if isinstance(words, str) else ["mise", "x", "--", *words]
        if given.get("cron"):
            draft.fields["autostart"] = False  # it runs by the clock, not at the start of all
        outcome.services.append(draft)
    for key in ("groups", "slugs"):
        if top.get(key):
            why = "there are no groups" if key == "groups" else "there is no proxy"
            remedy = (
                "name several services, or use `profiles`" if key == "groups" else "`portsup url` shows the address"
            )
            outcome.left.append(Left(f"`{key}`", why, remedy, source={key: top[key]}))
    return outcome


def _daemon(name: str, given: dict[str, Any], daemons: dict[str, dict[str, Any]]) -> Draft:
    draft = Draft(name, needs_port=True)
    ports = _ports(given)
    given = _rendered(draft, given, daemons)
    line = shell.read(_FIRST_PORT.sub("$PORT", str(given["run"])))
    if line.uses_port and not line.ports:
        line.ports = ports[:1]
    _give(draft, line)
    set_variables(draft, dict(line.environment))
    variables = {key: _port_of_others(str(value)) for key, value in mapping(given.get("env")).items()}
    own = variables.pop("PORT", None)
    if ports:
        draft.ports = [*ports[:1], *(each for each in draft.ports if each not in ports)]
        draft.further = ports[1:]
        draft.gets_port = True
        draft.fields["port_env"] = "PORT"
    elif own is not None:
        set_variables(draft, {"PORT": own})
    set_variables(draft, variables)
    if further := ports[1:]:
        why = "a service has one port that portsup gives it"
        draft.leave(f"`port`: {', '.join(map(str, further))}", why, "the program binds it by itself")
        draft.environment["PORT0"] = Filled("{port}")
        draft.environment.update({f"PORT{at}": str(port) for at, port in enumerate(further, 1)})
    if folder := given.get("dir"):
        draft.fields["working_dir"] = str(folder)
    if needed := [each.rpartition("/")[2] for each in texts(given.get("depends"))]:
        draft.fields["depends_on"] = dict.fromkeys(needed, "ready")
    if given.get("user"):
        draft.carry("user", account(given["user"]), f"`user: {given['user']}`", "set `user`")
    if given.get("description"):
        draft.fields["description"] = str(given["description"])[:1000]
    _ready(draft, given)
    _restart(draft, given)
    _stop(draft, given.get("stop_signal"))
    if limit := given.get("memory_limit"):
        draft.carry("memory_limit", memory(limit), f"`memory_limit: {limit}`", "set `memory_limit`, at least 1MB")
    _hooks(draft, mapping(given.get("hooks")))
    draft.leave_keys(given, _WHY, _READ)
    return draft


def _give(draft: Draft, line: shell.Line) -> None:
    shell.give(draft, line)
    words = draft.fields["command"]
    if isinstance(words, list):
        draft.fields["command"] = [_port_of_others(word) for word in words]


def _ports(given: dict[str, Any]) -> list[int]:
    told = given.get("port", given.get("expected_port"))
    told = mapping(told).get("expect") if isinstance(told, dict) else told
    return [port for each in texts(told) if (port := whole(each, 1, 65535))]


def _rendered(draft: Draft, given: dict[str, Any], daemons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The settings with what their templates stand for, or a mark for the port of another daemon."""
    variables = {key: str(value) for key, value in mapping(given.get("env")).items()}

    def value(match: re.Match[str]) -> str:
        if match["own"]:
            return draft.name
        if match["variable"]:
            return variables.get(match["variable"], match[0])
        other = match["name"] or match["quoted"]
        if other not in daemons:
            return match[0]
        if match["what"] == "name":
            return other
        at, ports = int(match["at"] or 0), _ports(daemons[other])
        if at == 0:
            return f"@portsup-of-{other}@"
        return str(ports[at]) if at < len(ports) else match[0]

    def rendered(part: Any) -> Any:
        match part:
            case str():
                text = _TEMPLATE.sub(value, part)
                for rest in _ANY_TEMPLATE.findall(text):
                    draft.leave(f"`{rest}`", "there are no templates", "put the value there")
                return text
            case dict():
                return {key: rendered(item) for key, item in part.items()}
            case list():
                return [rendered(item) for item in part]
        return part

    found: dict[str, Any] = rendered(given)
    return found


def _port_of_others(text: str) -> str:
    if "@portsup-of-" not in text:
        return text
    literal = text if isinstance(text, Filled) else placeholders.literally(text.replace("$", "$$"))
    return Filled(re.sub(r"@portsup-of-([\w.-]+)@", r"{port:\1}", literal))


def _ready(draft: Draft, given: dict[str, Any]) -> None:
    if asked := _check(given, "ready_http", "url"):
        url = re.fullmatch(r"(https?)://(localhost|127\.0\.0\.1)(?::(\d+|\$PORT))?(/.*)?", str(asked["url"]))
        good = [number for each in texts(asked.get("status")) if (number := whole(each, 100, 599))]
        probe: dict[str, Any] = {"exec": ["curl", "-fsS", "-o", "/dev/null", str(asked["url"])]}
        if url and url[1] == "http":
            probe = probes.http(url[4] or "/", "" if url[3] == "$PORT" else url[3] or "80", draft)
            if "http" in probe:
                probe["http"] = {"path": probe["http"], "status": good or "200-299"}
        draft.fields["ready"] = probes.ready(probe, _patience(asked))
    elif (asked := _check(given, "ready_port", "port")) and (number := whole(asked["port"], 1, 65535)) is not None:
        if not draft.ports:
            draft.ports = [number]
        draft.fields["ready"] = probes.ready({"tcp": True}, _patience(asked))
    elif asked := _check(given, "ready_cmd", "run"):
        words = probes.from_command(probes.shell_words(str(asked["run"])), draft)
        draft.fields["ready"] = probes.ready(words, _patience(asked))
    elif asked := _check(given, "ready_output", "pattern"):
        draft.fields["ready"] = {"log": str(asked["pattern"])[:1000], "timeout": _shown(_patience(asked))}
    elif not draft.gets_port or own_port.is_client(str(given["run"])):
        draft.fields.setdefault("ready", "started")


def _delay(draft: Draft, told: float | None, *, is_needed: bool) -> None:
    """Without a check a daemon is ready when it has run for a while; that matters to those that wait for it."""
    wait = DELAY if told is None and is_needed else told
    if wait:
        shown = f"{wait:g}"
        draft.fields["ready"] = {"exec": ["sleep", shown], "timeout": duration(wait + LONGEST_CHECK)}
        draft.notes.append(f"ready when it has run for {shown} s, as pitchfork has it")
        if wait >= LONGEST_CHECK:
            draft.fields["ready"] = "started"
            draft.leave(f"`ready_delay: {shown}`", "a check ends within 10 s", "write a check of its own as `ready`")


def _check(given: dict[str, Any], key: str, what: str) -> dict[str, Any]:
    """A check as a table, which may stand as what it asks alone; empty where there is none."""
    told = given.get(key)
    asked = mapping(told) if isinstance(told, dict) else {what: told}
    return asked if asked.get(what) else {}


def _patience(asked: dict[str, Any]) -> float:
    return seconds(asked.get("timeout")) or probes.LONGEST_READY


def _shown(patience: float) -> str:
    return "24h" if patience == probes.LONGEST_READY else duration(patience)


def _restart(draft: Draft, given: dict[str, Any]) -> None:
    told = str(given.get("retry", 0)).lower()
    number = None if told == "true" else whole(told, 0, 1_000_000) or 0
    if number == 0:
        draft.fields["restart"] = "never"
        return
    most: int | str = "infinite" if number is None else number
    draft.fields |= {"restart": "on-failure", "restart_policy": {"delay": "1s", "max_restarts": most}}


def _stop(draft: Draft, told: Any) -> None:
    given = mapping(told) if isinstance(told, dict) else {"signal": told}
    if given.get("signal"):
        draft.carry("stop_signal", signal_name(given["signal"]), f"`stop_signal: {told}`", "set `stop_signal`")
    if (grace := seconds(given.get("timeout"))) is not None:
        draft.fields["stop_grace_period"] = duration(grace)


def _hooks(draft: Draft, given: dict[str, Any]) -> None:
    known = {key: shell.beside(value) for key, value in given.items() if key in _HOOKS and isinstance(value, str)}
    found = {_HOOKS[key]: [_port_of_others(word) for word in words] for key, words in known.items()}
    if found:
        draft.fields["hooks"] = found
    left = {key: value for key, value in given.items() if _HOOKS.get(key) not in found}
    if left:
        names = ", ".join(f"`{key}`" for key in left)
        draft.leave(f"`hooks`: {names}", "there is no such moment", "follow `portsup events --json`", {"hooks": left})
