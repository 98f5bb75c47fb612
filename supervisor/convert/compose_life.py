"""How a service of compose lives: its health check, restarts, hooks and stop, and the rest of its keys."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from supervisor.convert import limits, probes, profiles, shell
from supervisor.convert.dockerfile import Image
from supervisor.convert.draft import WATCHED, Draft, Filled
from supervisor.convert.values import (
    duration,
    is_true,
    log_size,
    mapping,
    maybe_filled,
    pairs,
    seconds,
    signal_name,
    texts,
    whole,
)

RESTART = {"no": "never", "false": "never", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
DEFAULT_TIMEOUT = 30.0  # seconds of one health check, where compose is told none
# What a container is, and a process on this machine is not.
_CONTAINER = frozenset((
    "annotations", "attach", "blkio_config", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "configs",
    "container_name", "cpu_count", "cpu_percent", "cpu_shares", "cpus", "cpuset", "credential_spec",
    "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname", "expose", "external_links",
    "extra_hosts", "gpus", "group_add", "hostname", "init", "ipc", "isolation", "label_file", "labels", "links",
    "mac_address", "mem_reservation", "mem_swappiness", "memswap_limit", "network_mode", "networks",
    "oom_kill_disable", "oom_score_adj", "pid", "pids_limit", "platform", "privileged", "pull_policy", "read_only",
    "runtime", "secrets", "security_opt", "shm_size", "storage_opt", "sysctls", "tmpfs", "tty",
    "use_api_socket", "userns_mode", "uts", "volumes", "volumes_from",
))  # fmt: skip
_WHY = {
    "develop": WATCHED,
    "provider": ("it is a plugin of compose", "write a service that does the same"),
    "models": ("they are of compose", "start the model server as a service"),
}
READ = frozenset((
    "build", "command", "depends_on", "deploy", "entrypoint", "env_file", "environment", "healthcheck", "image",
    "logging", "mem_limit", "ports", "post_start", "pre_start", "pre_stop", "profiles", "restart", "scale",
    "stdin_open", "stop_grace_period", "stop_signal", "ulimits", "user", "working_dir",
))  # fmt: skip


def carry(
    draft: Draft, given: dict[str, Any], image: Image, filled: shell.References, *, is_awaited: bool = False
) -> None:
    """Give a service what is not about what it runs; `is_awaited`: another one waits until it is healthy."""
    check = mapping(given.get("healthcheck"))
    if not check and image.health:
        is_of_image = not (given.get("command") or given.get("entrypoint"))  # else it may be for another program
        if is_of_image or is_awaited or _asks_it(image.health, draft):
            check = dict(image.health)
        elif image.health.get("test") not in (None, ["NONE"]):
            why = "it is for the command there, and this service has another one"
            told = {"healthcheck": dict(image.health)}
            draft.leave("`HEALTHCHECK` of its Dockerfile", why, "write `ready` and `healthcheck` if it fits", told)
    _health(draft, check, filled)
    _end(draft, given)
    _hooks(draft, given, filled)
    _others(draft, given)


def _asks_it(check: Mapping[str, object], draft: Draft) -> bool:
    """Whether a check asks the port that is published for this service."""
    shown = " ".join(re.findall(r"[\w.:/-]+", str(check.get("test"))))
    return any(re.search(rf":{port}(?!\d)", shown) for port in draft.inner)


def _health(draft: Draft, given: dict[str, Any], filled: shell.References) -> None:
    test = given.get("test")
    if not test or is_true(given.get("disable", "false")):
        return
    if isinstance(test, list):
        kind, words = str(test[0]), texts(test[1:])
        if kind == "NONE" or not words:
            return
        given_words = words if kind == "CMD" else texts(test)
        words = _shell(words[0], filled) if kind == "CMD-SHELL" else [maybe_filled(word) for word in given_words]
    else:
        words = _shell(str(test), filled)
    probe = probes.from_command(words, draft)
    for key, read in (("interval", seconds), ("timeout", seconds), ("start_period", seconds), ("retries", _retries)):
        if given.get(key) and read(given[key]) is None:
            what = f"`{key}: {given[key]}` of the health check"
            draft.leave(what, "its value is not known here", "set it in `ready` and `healthcheck`")
    if given.get("start_interval"):
        draft.leave("`start_interval` of the health check", "there is one interval", "see whether that will do")
    interval, timeout = seconds(given.get("interval")) or 30.0, seconds(given.get("timeout")) or DEFAULT_TIMEOUT
    retries = _retries(given.get("retries")) or 3
    patience = (seconds(given.get("start_period")) or 0.0) + (interval + timeout) * retries
    draft.fields["ready"] = probes.ready(probe, patience)
    draft.fields["healthcheck"] = probes.healthcheck(probe, interval, timeout, retries)
    if "exec" in probe:
        draft.notes.append("its health check ran in the container: see that its program is on this machine too")


def _shell(text: str, filled: shell.References) -> list[str]:
    """The words of a check for a shell: variables are filled in first, and `$$` is for the shell."""
    return probes.shell_words(text, filled)


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
        if "healthcheck" in draft.fields:
            draft.notes.append("compose leaves a service that is unhealthy as it is; here it is restarted")
    if deploy.get("window"):
        what = f"`deploy.restart_policy.window: {deploy['window']}`"
        draft.leave(what, "`ready` says when a start has succeeded", "set `restart_policy: {period: …}` if need be")
    known = signal_name(given["stop_signal"]) if given.get("stop_signal") else None
    if known is None and given.get("stop_signal"):
        draft.leave(f"`stop_signal: {given['stop_signal']}`", "this system has no such signal", "set `stop_signal`")
    of_image = str(draft.fields.get("stop_signal", "SIGTERM"))
    draft.fields["stop_signal"] = {"signal": known or of_image, "to": "main"}  # as a container's first process gets it
    if is_true(given.get("stdin_open", "false")):
        draft.fields["stdin"] = "open"
    if (grace := seconds(given.get("stop_grace_period"))) is not None:
        draft.fields["stop_grace_period"] = duration(grace)


def _hooks(draft: Draft, given: dict[str, Any], filled: shell.References) -> None:
    found: dict[str, list[str]] = {}
    for key in ("pre_start", "post_start", "pre_stop"):
        asked = given.get(key)
        hooks = [mapping(item) for item in asked] if isinstance(asked, list) else []
        commands = [words for hook in hooks if (words := _hook(draft, hook, key, filled))]
        if len(commands) == 1:
            found[key] = commands[0]
        elif any(isinstance(word, Filled) for words in commands for word in words):
            why = "these are several commands, with variables"
            draft.leave(f"`{key}`", why, "put them into one script", source={key: asked})
        elif commands:
            found[key] = ["sh", "-c", " && ".join(shlex.join(words) for words in commands)]
    if found:
        draft.fields["hooks"] = found
        draft.notes.append(
            "its hooks ran in the container: see that their programs and ports are there on this machine too"
        )


def _hook(draft: Draft, hook: dict[str, Any], key: str, filled: shell.References) -> list[str]:
    for other in ("user", "privileged", "working_dir"):
        if hook.get(other) not in (None, "", "false", False):
            draft.leave(f"`{other}` of `{key}`", "a hook runs as its service does", "see whether that will do")
    command = hook.get("command")
    if isinstance(command, list):
        words = [maybe_filled(text) for text in texts(command)]
    else:
        words = shell.split_only(command, filled) if isinstance(command, str) else []
    variables = [f"{name}={text}" for name, text in pairs(hook.get("environment")) if text is not None]
    return ["env", *(maybe_filled(each) for each in variables), *words] if variables and words else words


def _others(draft: Draft, given: dict[str, Any]) -> None:
    logging = mapping(given.get("logging"))
    options = mapping(logging.get("options"))
    told = [f"driver: {logging['driver']}"] if logging.get("driver", "json-file") not in ("json-file", "local") else []
    if told := [*told, *(key for key in options if key not in ("max-size", "max-file"))]:
        draft.leave(f"`logging`: {', '.join(told)}", "portsup keeps the output in files of its own", "see `logging`")
    files = whole(options.get("max-file", ""), 1, 1001)  # the one that is written among them
    kept = {"max_size": log_size(options.get("max-size", "")), "backups": None if files is None else files - 1}
    if any(value is not None for value in kept.values()):
        draft.fields["logging"] = {key: value for key, value in kept.items() if value is not None}
    if user := given.get("user"):
        why = "it is a user of the container, and only root can change to another one"
        draft.leave(f"`user: {user}`", why, "start portsup as that user, or as root and set `user`")
    profiles.carry(draft, given)
    limits.carry(draft, given)
    named = {key: value for key, value in given.items() if key in _CONTAINER}
    if named:
        why = "they are of a container; a program on this machine has its files, network and devices"
        remedy = "see that the paths in its command and variables fit"
        draft.leave(", ".join(f"`{key}`" for key in named), why, remedy, source=named)
    draft.leave_keys(given, _WHY, _CONTAINER | READ)
