"""docker-compose.yml: services whose program can run without their container."""

import re
import shlex
from typing import Any

from supervisor.convert import chosen, limits, network, probes, shell
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.layers import begin
from supervisor.convert.values import (
    demanded,
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
    "service_started": "started",
    "service_healthy": "ready",
    "service_completed_successfully": "completed_ok",
}
RESTART = {"no": "never", "false": "never", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
# What a container is, and a process on this machine is not.
_CONTAINER = frozenset((
    "annotations", "attach", "blkio_config", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "configs",
    "container_name", "cpu_count", "cpu_percent", "cpu_shares", "cpus", "cpuset", "credential_spec",
    "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname", "expose", "external_links",
    "extra_hosts", "group_add", "hostname", "init", "ipc", "isolation", "labels", "links", "mac_address",
    "mem_reservation", "mem_swappiness", "memswap_limit", "network_mode", "networks",
    "oom_kill_disable", "oom_score_adj", "pid", "pids_limit", "platform", "privileged", "pull_policy", "read_only",
    "runtime", "secrets", "security_opt", "shm_size", "storage_opt", "sysctls", "tmpfs", "tty",
    "userns_mode", "uts", "volumes", "volumes_from",
))  # fmt: skip
_WHY = {
    "scale": ("a service runs once", "write it again under another name, or run more instances"),
    "develop": ("files are not watched", "use the reloading of the program itself"),
    "provider": ("it is a plugin of compose", "write a service that does the same"),
    "models": ("they are of compose", "start the model server as a service"),
}
_SHELLS = [[path + name] for path in ("", "/bin/", "/usr/bin/") for name in ("sh", "bash", "ash", "env")]
_READ = frozenset((
    "build", "command", "depends_on", "deploy", "entrypoint", "env_file", "environment", "healthcheck", "image",
    "logging", "mem_limit", "ports", "post_start", "pre_stop", "profiles", "restart", "stop_grace_period",
    "stdin_open", "stop_signal", "ulimits", "user", "working_dir",
))  # fmt: skip


def convert(data: Any) -> Outcome:
    """The services of a compose file; those that are an image only are left out."""
    top, services, outcome = begin(data, "services", "the compose file")
    if top.get("include"):
        outcome.left.append(Left("`include`", "other files are not followed", "convert each of them as well"))
    lines = {name: _line(mapping(given)) for name, given in services.items()}
    carried = {name for name, line in lines.items() if not isinstance(line, Left)}
    for name, line in lines.items():
        if isinstance(line, Left):
            outcome.left.append(Left(f"service `{name}`", line.why, line.remedy))
        else:
            outcome.services.append(_service(name, services, line, carried))
    return outcome


def _line(given: dict[str, Any]) -> shell.Line | Left:
    """What a service runs, or why that can not be known."""
    image = str(given.get("image") or "")
    entry, command = _words(given.get("entrypoint")), _words(given.get("command"))
    if not entry and not command:
        if given.get("build"):
            return Left("", "its command is in its Dockerfile", "write a service with what `CMD` says there")
        why = f"it is only an image (`{image}`), and portsup runs programs" if image else "it has no command"
        return Left("", why, "install the program and write a service, or keep it in compose beside portsup")
    if not entry and command[0].startswith("-"):
        why = f"its command begins with an option, for the entrypoint of the image `{image}`"
        return Left("", why, "install the program and write a service with its name before the options")
    if entry and command:
        return shell.listed([*entry, *command])
    text = given.get("command") if command else given.get("entrypoint")
    if isinstance(text, list):
        return shell.listed([*entry, *command])
    return _text(str(text))


def _words(value: Any) -> list[str]:
    if isinstance(value, list):
        return [maybe_filled(text) for text in texts(value)]
    line = _text(value) if isinstance(value, str) and value.strip() else None
    return line.words if line else []


def _text(text: str) -> shell.Line:
    """compose fills `${VAR}` in, and then splits without a shell."""
    if "$" not in text:
        return shell.split(text) or shell.read(text)
    line = shell.read(text)
    if line.uses_port:
        return line
    line = shell.split(text) or line
    line.words = [word if isinstance(word, Filled) else maybe_filled(word) for word in line.words]
    return line


def _service(name: str, services: dict[str, Any], line: shell.Line, carried: set[str]) -> Draft:
    draft, given = Draft(name), mapping(services[name])
    if image := str(given.get("image") or ""):
        remedy = "install what it runs" if line.words[:1] in _SHELLS else f"install what has `{line.words[0]}`"
        if not given.get("entrypoint"):
            remedy += ", and if the image has an entrypoint write that before it"
        draft.leave(f"`image: {image}`", "the command runs on this machine", remedy)
    shell.give(draft, line)
    _folder(draft, given)
    variables = {key: None if text is None else maybe_filled(text) for key, text in pairs(given.get("environment"))}
    network.give_ports(draft, given)
    set_variables(draft, variables)
    network.note_hosts(draft, given, variables, services, carried)
    _env_files(draft, given.get("env_file"))
    _dependencies(draft, given.get("depends_on"))
    _health(draft, mapping(given.get("healthcheck")))
    _end(draft, given)
    _hooks(draft, given)
    _others(draft, given)
    read = {key: value for key, value in given.items() if key in _READ - {"build", "image"}}
    for variable in sorted({name for value in _all_texts(read) for name in demanded(value)}):
        remedy = f"write `${{{variable}:?message}}` to insist"
        draft.leave(f"`${{{variable}:?…}}`", "it is empty where it is not set", remedy)
    return draft


def _all_texts(value: Any, depth: int = 0) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _all_texts(item, depth + 1)] if depth < 4 else []


def _folder(draft: Draft, given: dict[str, Any]) -> None:
    build = given.get("build")
    context = build if isinstance(build, str) else mapping(build).get("context")
    inside = str(given.get("working_dir") or "")
    if more := ", ".join(key for key in mapping(build) if key != "context"):
        draft.leave(f"`build`: {more}", "nothing is built", "see that the program is built as it says there")
    for volume in given.get("volumes") or () if isinstance(given.get("volumes"), list) else ():
        source, _, target = volume.partition(":") if isinstance(volume, str) else ("", "", "")
        target = target.partition(":")[0].rstrip("/")
        if inside and target and source.startswith((".", "~")) and (inside + "/").startswith(target + "/"):
            draft.fields["working_dir"] = maybe_filled(source.rstrip("/") + inside[len(target) :].rstrip("/"))
            draft.notes.append(f"`working_dir` was `{inside}` in the container")
            return
    if isinstance(context, str) and context.strip() and not re.match(r"\w+://|git@", context):
        draft.fields["working_dir"] = maybe_filled(context)
        was = f"; its `working_dir` was `{inside}` in the container" if inside else ""
        draft.notes.append(f"runs in the folder that its image was built of, `{context}`{was}")
    elif inside:
        draft.leave(f"`working_dir: {inside}`", "it is a folder of the container", "set `working_dir`")


def _env_files(draft: Draft, value: Any) -> None:
    files: list[dict[str, Any]] = []
    for item in value if isinstance(value, list) else [value]:
        path = item if isinstance(item, str) else mapping(item).get("path")
        if isinstance(path, str) and path.strip():
            if mapping(item).get("format"):
                draft.leave(f"`format` of `{path}`", "an env file has one format", "see what quotes mean in it")
            files.append({"path": maybe_filled(path), "required": is_true(mapping(item).get("required", "true"))})
    if files:
        draft.fields["env_file"] = files


def _dependencies(draft: Draft, value: Any) -> None:
    found: dict[str, Any] = dict.fromkeys(texts(value), "started") if isinstance(value, list) else {}
    for other, item in mapping(value).items():
        told = str(mapping(item).get("condition") or "service_started")
        found[other] = CONDITIONS.get(told, "started")
        if not is_true(mapping(item).get("required", "true")):
            draft.leave(f"`required: false` of `{other}`", "what is named is needed", f"remove `{other}` if it is not")
        if is_true(mapping(item).get("restart", "false")):
            found[other] = {"condition": found[other], "restart": True}
    if found:
        draft.fields["depends_on"] = found


def _health(draft: Draft, given: dict[str, Any]) -> None:
    test = given.get("test")
    if not test or is_true(given.get("disable", "false")):
        return
    if isinstance(test, list):
        kind, words = str(test[0]), texts(test[1:])
        if kind == "NONE" or not words:
            return
        words = probes.shell_words(words[0]) if kind == "CMD-SHELL" else words if kind == "CMD" else texts(test)
    else:
        words = probes.shell_words(str(test))
    probe = probes.from_command(words, draft)
    for key, read in (("interval", seconds), ("timeout", seconds), ("start_period", seconds), ("retries", _retries)):
        if given.get(key) and read(given[key]) is None:
            what = f"`{key}: {given[key]}` of the health check"
            draft.leave(what, "its value is not known here", "set it in `ready` and `healthcheck`")
    if given.get("start_interval"):
        draft.leave("`start_interval` of the health check", "there is one interval", "see whether that will do")
    interval, timeout = seconds(given.get("interval")) or 30.0, seconds(given.get("timeout"))
    retries = _retries(given.get("retries")) or 3
    draft.fields["ready"] = probes.ready(probe, (seconds(given.get("start_period")) or 0.0) + interval * retries)
    draft.fields["healthcheck"] = probes.healthcheck(probe, interval, timeout, retries)
    if "exec" in probe:
        draft.notes.append(
            "its health check ran in the container: see that its program is on this machine too, and asks `{port}`"
        )


def _retries(value: Any) -> int | None:
    return whole(value, 0, 1000)


def _end(draft: Draft, given: dict[str, Any]) -> None:
    deploy = mapping(mapping(given.get("deploy")).get("restart_policy"))
    told = str(given.get("restart") or {"any": "always", "none": "no"}.get(str(deploy.get("condition")), "")) or (
        str(deploy.get("condition") or "no")
    )
    word, _, most = told.partition(":")
    draft.fields["restart"] = RESTART.get(word, "on-failure")
    number = whole(most or deploy.get("max_attempts"), 0, 1_000_000)
    if draft.fields["restart"] != "never":
        delay = seconds(deploy.get("delay"))
        wait = {"delay": duration(delay), "max_delay": duration(max(delay, 30.0))} if delay else {}
        draft.fields["restart_policy"] = {**wait, "max_restarts": "infinite" if number is None else number}
    if deploy.get("window"):
        what = f"`deploy.restart_policy.window: {deploy['window']}`"
        draft.leave(what, "`ready` says when a start has succeeded", "set `restart_policy: {period: …}` if need be")
    known = signal_name(given["stop_signal"]) if given.get("stop_signal") else "SIGTERM"
    if known is None:
        draft.leave(f"`stop_signal: {given['stop_signal']}`", "this system has no such signal", "set `stop_signal`")
    draft.fields["stop_signal"] = {"signal": known or "SIGTERM", "to": "main"}  # as a container's first process gets it
    if is_true(given.get("stdin_open", "false")):
        draft.fields["stdin"] = "open"
    if (grace := seconds(given.get("stop_grace_period"))) is not None:
        draft.fields["stop_grace_period"] = duration(grace)


def _hooks(draft: Draft, given: dict[str, Any]) -> None:
    found: dict[str, list[str]] = {}
    for key in ("post_start", "pre_stop"):
        asked = given.get(key)
        hooks = [mapping(item) for item in asked] if isinstance(asked, list) else []
        commands = [words for hook in hooks if (words := _hook(draft, hook, key))]
        if len(commands) == 1:
            found[key] = commands[0]
        elif any(isinstance(word, Filled) for words in commands for word in words):
            draft.leave(f"`{key}`", "these are several commands, with variables", "put them into one script")
        elif commands:
            found[key] = ["sh", "-c", " && ".join(shlex.join(words) for words in commands)]
    if found:
        draft.fields["hooks"] = found
        draft.notes.append(
            "its hooks ran in the container: see that their programs and ports are there on this machine too"
        )


def _hook(draft: Draft, hook: dict[str, Any], key: str) -> list[str]:
    for other in ("user", "privileged", "working_dir"):
        if hook.get(other) not in (None, "", "false", False):
            draft.leave(f"`{other}` of `{key}`", "a hook runs as its service does", "see whether that will do")
    words = _words(hook.get("command"))
    variables = [f"{name}={text}" for name, text in pairs(hook.get("environment")) if text is not None]
    return ["env", *(maybe_filled(each) for each in variables), *words] if variables and words else words


def _others(draft: Draft, given: dict[str, Any]) -> None:
    logging = mapping(given.get("logging"))
    options = mapping(logging.get("options"))
    told = [f"driver: {logging['driver']}"] if logging.get("driver", "json-file") not in ("json-file", "local") else []
    if told := [*told, *(key for key in options if key not in ("max-size", "max-file"))]:
        draft.leave(f"`logging`: {', '.join(told)}", "portsup keeps the output in files of its own", "see `logging`")
    kept = {"max_size": log_size(options.get("max-size", "")), "backups": whole(options.get("max-file", ""), 0, 1000)}
    if any(value is not None for value in kept.values()):
        draft.fields["logging"] = {key: value for key, value in kept.items() if value is not None}
    if user := given.get("user"):
        why = "it is a user of the container, and only root can change to another one"
        draft.leave(f"`user: {user}`", why, "start portsup as the user that is meant, or as root and set `user`")
    chosen.carry(draft, given)
    limits.carry(draft, given)
    if named := [key for key in given if key in _CONTAINER]:
        why = "they are of a container; a program on this machine has its files, network and devices"
        draft.leave(", ".join(f"`{key}`" for key in named), why, "see that the paths in its command and variables fit")
    draft.leave_keys(
        [key for key in given if key != "scale" or "autostart" not in draft.fields], _WHY, _CONTAINER | _READ
    )
