"""ecosystem.config.json of pm2, or .yaml; of a .js one the literal that it exports: nothing is run here."""

import json
import re
import shlex
from typing import Any

from supervisor.config.foreign import from_yaml
from supervisor.convert import pm2_copies, shell
from supervisor.convert.around import ALONE, Around, FileKind
from supervisor.convert.draft import WATCHED, Draft, Filled, Left, Outcome
from supervisor.convert.values import (
    account,
    cleaned,
    codes,
    duration,
    is_true,
    mapping,
    memory,
    pairs,
    seconds,
    set_variables,
    texts,
    whole,
)
from supervisor.errors import PortsupError

# By which program pm2 runs a script, by the end of its name.
INTERPRETERS = {
    ".js": ["node"],
    ".cjs": ["node"],
    ".mjs": ["node"],
    ".ts": ["npx", "ts-node"],
    ".py": ["python3"],
    ".sh": ["bash"],
    ".rb": ["ruby"],
    ".php": ["php"],
    ".pl": ["perl"],
}
_OF_SCRIPT = re.compile(  # what a literal of JavaScript has beyond JSON, and the texts that it may not be looked for in
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<name>[A-Za-z_$][\w$]*)\s*:|//[^\n]*|/\*[\s\S]*?\*/""",
    re.ASCII,
)
_EXPORTS = re.compile(r"\A[\s\S]*?^\s*(?:module\.exports\s*=|export\s+default)\s*(?=[\[{])", re.MULTILINE)
_OF_YAML = re.compile(r"^(apps[ \t]*:|- )", re.MULTILINE)
_REST = re.compile(r"(?:[\s\[\]{},:]|-?\d[\d.]*|\b(?:true|false|null)\b)*", re.ASCII)
# Other names that pm2 has for its keys.
_ALIASES = {
    "exec": "script", "cmd": "script", "command": "script",
    "cron": "cron_restart", "interpreterArgs": "interpreter_args", "ignoreWatch": "ignore_watch",
    "pid": "pid_file", "out": "out_file", "out_log": "out_file", "err": "error_file", "err_log": "error_file",
}  # fmt: skip
_WHY = {
    "watch": WATCHED,
    "cron_restart": ("nothing is restarted by the clock", "use cron with `portsup restart`"),
    "wait_ready": ("the program tells pm2 by `process.send`", "say READY=1 by sd_notify, with `ready: {notify: true}`"),
    "namespace": ("there are no namespaces", "name several services: `portsup restart a b`"),
    "shutdown_with_message": ("a service is stopped by a signal", "let the program end on SIGINT"),
    "source_map_support": ("it is built into pm2", "run node with `--enable-source-maps`"),
    "post_update": ("there are no deployments", "use a tool for them"),
    "log_date_format": ("lines are kept as they are", "`portsup logs --timestamps` shows times"),
    "pid_file": ("portsup keeps track of processes itself", "`portsup status` shows them"),
    "time": ("lines are kept as they are", "`portsup logs --timestamps` shows times"),
}
_WHY_FILE = {
    "deploy": ("there are no deployments", "use a tool for them"),
    "static": ("the server for files is built into pm2", "write a service with a web server"),
}
MAX_RESTARTS, MIN_UPTIME = 16, 1.0  # what pm2 takes where nothing is said; seconds
_LOGS = ("error_file", "out_file", "log_file", "error", "output", "log", "err_file")
_READ = frozenset((
    "name", "script", "args", "cwd", "interpreter", "exec_interpreter", "interpreter_args", "node_args", "env",
    "instances", "exec_mode", "autorestart", "max_restarts", "max_memory_restart", "restart_delay", "min_uptime",
    "kill_timeout", "uid", "stop_exit_codes",
    "gid", "user", "port", "exp_backoff_restart_delay", "listen_timeout", "ignore_watch", "watch_options",
    "watch_delay", "merge_logs", "combine_logs", "log_type", "treekill", "vizion", "force", "pmx", "automation",
    "append_env_to_name", "disable_logs", "instance_var", "env_file", "autostart", "increment_var", "filter_env",
    "execute_command", "username", "windowsHide", "disable_source_map_support", "kill_retry_time", "watch",
))  # fmt: skip


def convert(text: str, around: Around = ALONE) -> Outcome:
    """One service an app, several for `instances`; raises PortsupError where the file is no JSON."""
    data = cleaned(_read(text))
    apps = data.get("apps", data.get("pm2")) if isinstance(data, dict) else data
    if apps is None and (mapping(data).get("script") or mapping(data).get("cmd")):
        apps = data
    outcome = Outcome()
    wanted: dict[str, int] = {}
    for number, item in enumerate(apps if isinstance(apps, list) else [apps] if isinstance(apps, dict) else [], 1):
        given = {_ALIASES.get(key, key): value for key, value in mapping(item).items()}
        if not str(given.get("script") or "").strip():
            named = given.get("name") or f"number {number}"
            outcome.left.append(Left(f"app `{named}`", "it has no `script`", "write the service by hand"))
            continue
        draft = _app(given, number, around)
        outcome.services.append(draft)
        if (count := pm2_copies.count(draft, given, around.processors)) > 1:
            wanted[draft.name] = count
    if not outcome.services and not outcome.left:
        raise PortsupError("cannot convert the file of pm2", "it has no `apps`")
    pm2_copies.spread(outcome, wanted, apps)
    for key in ("deploy", "static"):
        if mapping(data).get(key):
            why, remedy = _WHY_FILE[key]
            outcome.left.append(Left(f"`{key}`", why, remedy, source={key: data[key]}))
    return outcome


def _read(text: str) -> Any:
    """What the file says.  pm2 takes a .json file for JavaScript: names without quotes, comments, a comma too many."""
    text = _literal(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if _OF_YAML.search(text):
            return from_yaml(text, "the file of pm2")
        if _is_plain(text):
            return from_yaml(_OF_SCRIPT.sub(_as_yaml, text).replace("\t", " "), "the file of pm2")
        why = f"it is no JSON: {error}; and for a literal of JavaScript it has too much in it"
        hint = "nothing in it is run unless you say `--evaluate`, for a file that ends in .js, .cjs or .mjs"
        raise PortsupError("cannot read the file of pm2", why, hint) from error


def exports_plainly(text: str) -> bool:
    """Whether a program in JavaScript exports a literal in which nothing has to be run or looked up."""
    return bool(_EXPORTS.match(text)) and _is_plain(_literal(text))


def _literal(text: str) -> str:
    """What a program in JavaScript exports, as it stands there; any other text as it is."""
    return re.sub(r"[;\s]*\Z", "", text[found.end() :]) if (found := _EXPORTS.match(text)) else text


def _is_plain(text: str) -> bool:
    return bool(_REST.fullmatch(_OF_SCRIPT.sub("", text)))


def _as_yaml(found: re.Match[str]) -> str:
    if (told := found["text"]) and told[0] == "'" and "\\" in told:  # there a backslash means nothing in YAML
        return json.dumps(re.sub(r"\\(.)", r"\1", told[1:-1]))
    return found["text"] or (f"{found['name']}: " if found["name"] else " ")


def _app(given: dict[str, Any], number: int, around: Around) -> Draft:
    script = str(given["script"]).strip()
    draft = Draft(pm2_copies.name_of(given, number))
    draft.needs_port = True
    folder = str(given.get("cwd") or "")
    variables = dict(pairs(given.get("env")))
    if script == "serve" and not around.has_program("serve"):
        _serve(draft, variables)
    else:
        shell.give(draft, _line(draft, given, script, around.within(folder) if folder else around))
    if folder:
        draft.fields["working_dir"] = folder
    if (number_ := whole(given.get("port"), 1, 65535)) is not None:
        set_variables(draft, {"PORT": str(number_)})
        variables.pop("PORT", None)
    set_variables(draft, variables)
    if files := [path for path in texts(given.get("env_file")) if path.strip()]:
        draft.fields["env_file"] = [{"path": path, "required": True} for path in files]
    draft.fields["restart"] = "always" if is_true(given.get("autorestart", True)) else "never"
    if str(given.get("autostart", "true")).lower() == "false":
        draft.fields["autostart"] = False
    if ends := texts(given.get("stop_exit_codes")):
        draft.fields["restart"] = "on-failure"
        codes(draft, ends, "`stop_exit_codes`")
    draft.keep_stdin()
    _times(draft, given)
    for key, other in (("uid", "user"), ("user", "user"), ("gid", "group")):
        if given.get(key):
            draft.carry(other, account(given[key]), f"`{key}: {given[key]}`", f"set `{other}`")
    if limit := given.get("max_memory_restart"):
        what = f"`max_memory_restart: {limit}`"
        draft.carry("memory_limit", memory(limit), what, "set `memory_limit`, at least 1MB")
    _leave(draft, given)
    return draft


def _serve(draft: Draft, variables: dict[str, str | None]) -> None:
    """The server for files that is built into pm2, as the one of Python."""
    path, port = variables.pop("PM2_SERVE_PATH", None) or ".", variables.pop("PM2_SERVE_PORT", None) or "8080"
    shell.give(draft, shell.listed(["python3", "-m", "http.server", port, "--directory", path]))
    draft.notes.append("`serve` is built into pm2; here the server of Python's library gives the same files")
    for name in [name for name in variables if name.startswith("PM2_SERVE_")]:
        draft.leave(f"`{name}`", "the server of Python has nothing like it", "use a web server that has")
        del variables[name]


def _line(draft: Draft, given: dict[str, Any], script: str, around: Around) -> shell.Line:
    args = given.get("args")
    if " " in script:  # pm2 gives it to bash, and forgets `args`
        return shell.read(script)
    told = given.get("interpreter_args") or given.get("node_args")
    before = told.split() if isinstance(told, str) else texts(told)
    interpreter = str(given.get("interpreter") or given.get("exec_interpreter") or "")
    words: list[str] = [script]
    if re.fullmatch(r"node@[\w.-]+", interpreter, re.ASCII):
        version = interpreter.removeprefix("node@")
        draft.notes.append(f"Node.js {version} of nvm runs it: `nvm install {version}`, where it is missing")
        interpreter = Filled(f"${{NVM_DIR:?nvm has its versions of Node.js there}}/versions/node/v{version}/bin/node")
    if interpreter and interpreter != "none":
        words = [interpreter, *before, script]
        is_named = type(interpreter) is str and "/" not in script
        if is_named and around.kind(script) is FileKind.NOTHING and around.has_program(script):
            draft.notes.append(f"`{script}` is a program of the PATH, which pm2 has its interpreter run")
            words = ["sh", "-c", f'exec {shlex.join(words[:-1])} "$(command -v "$0")" "$@"', script]
    elif not interpreter:
        words = [*_interpreter(draft, script, around, bool(before)), *before, script]
    if isinstance(args, str):
        return shell.listed([*words, *(_split(args) if args.strip() else [])])
    return shell.listed([*words, *texts(args)])


def _split(args: str) -> list[str]:
    try:
        return shlex.split(args)
    except ValueError:
        return args.split()


def _interpreter(draft: Draft, script: str, around: Around, has_options: bool) -> list[str]:
    """The words that pm2 runs a script with: by its ending, and else node for every text that is no program."""
    name = script.rpartition("/")[2]
    ending = "." + name.rpartition(".")[2] if "." in name else ""
    if ending in INTERPRETERS:
        found = INTERPRETERS[ending]
        if ending == ".ts" and around.has_program("bun"):
            found = ["bun"]
        draft.notes.append(f"pm2 runs `{ending}` files by itself; here `{found[-1]}` does")
        return found
    kind = around.kind(script)
    if kind in (FileKind.TEXT, FileKind.EXECUTABLE):
        draft.notes.append("pm2 runs a script without an ending by node, and so does this")
        return ["node"]
    return ["node"] if has_options and kind is FileKind.NOTHING and not around.has_program(script) else []


def _times(draft: Draft, given: dict[str, Any]) -> None:
    draft.fields["stop_signal"] = "SIGINT"  # what pm2 sends first
    if str(given.get("treekill", True)).lower() == "false":
        draft.fields["stop_signal"] = {"signal": "SIGINT", "to": "main"}
    grace = seconds(given.get("kill_timeout"), 0.001)
    draft.fields["stop_grace_period"] = duration(1.6 if grace is None else grace)
    policy: dict[str, Any] = {}
    delay = seconds(given.get("restart_delay") or given.get("exp_backoff_restart_delay"), 0.001)
    if delay:
        policy |= {"delay": duration(delay), "max_delay": duration(max(delay, 30.0)), "factor": 1}
    if given.get("exp_backoff_restart_delay") and not given.get("restart_delay") and delay:
        policy |= {"max_delay": duration(max(delay, 15.0)), "factor": 1.5}
    if draft.fields["restart"] != "never":
        most = whole(given.get("max_restarts"), 0, 1_000_000)
        policy["max_restarts"] = MAX_RESTARTS if most is None else most
        uptime = seconds(given.get("min_uptime"), 0.001)
        policy["period"] = duration(MIN_UPTIME if uptime is None else uptime, 0.001)
    if policy:
        draft.fields["restart_policy"] = policy


def _leave(draft: Draft, given: dict[str, Any]) -> None:
    for key, value in given.items():
        if key in _WHY:
            if str(value).lower() not in ("none", "false", "", "0", "[]"):
                draft.leave(f"`{key}`", *_WHY[key], source={key: value})
        elif key in _LOGS and value:
            draft.leave(f"`{key}`", "portsup keeps the output in files of its own", "`portsup logs` shows them")
        elif key.startswith("env_") and key != "env_file":
            why, remedy = "there is one environment", "put what differs into a file and use `env_file`"
            draft.leave(f"`{key}`", why, remedy, source={key: value})
        elif key not in _READ and key not in _LOGS:
            draft.leave(f"`{key}`", "portsup does not know it", "see whether you need it", source={key: value})
