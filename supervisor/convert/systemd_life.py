"""How a unit of systemd starts, ends and is stopped."""

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from supervisor.convert import background, probes, unit_file
from supervisor.convert.draft import Draft
from supervisor.convert.limits import in_bytes, set_limit
from supervisor.convert.probes import LONGEST_READY
from supervisor.convert.values import codes, duration, is_true, memory, signal_name, whole
from supervisor.core import signals

RESTART = {
    "no": "never", "always": "always", "on-failure": "on-failure", "on-abnormal": "on-failure",
    "on-abort": "on-failure", "on-watchdog": "on-failure", "on-success": "always",
}  # fmt: skip
BURST, INTERVAL, DELAY = 5, 10.0, 0.1  # StartLimitBurst=, StartLimitIntervalSec=, RestartSec= where nothing is said
LONGEST_STOP = 3600.0  # seconds, for a stop that systemd sets no limit
TIMEOUT = 90.0  # seconds, DefaultTimeoutStartSec= and DefaultTimeoutStopSec=
LIMITS = {
    "LimitNOFILE": "nofile", "LimitNPROC": "nproc", "LimitAS": "address_space", "LimitFSIZE": "file_size",
    "LimitCPU": "cpu_time", "LimitCORE": "core", "LimitSTACK": "stack", "LimitMEMLOCK": "memlock",
}  # fmt: skip
_UNITS = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60,
    "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400,
    "w": 604800, "": 1,
}  # fmt: skip
_WAITS = (
    re.compile(
        r"until (?P<command>.+?); ?do (?:\[ -d /proc/\$MAINPID \] \|\| exit 1; ?)?sleep [\d.]+; ?done", re.DOTALL
    ),
    re.compile(
        r"for \w+ in [^;]+; ?do (?P<command>[^;]+?) && (?:exit 0|break); ?sleep [\d.]+; ?done(?:; ?(?:exit 1|false))?"
    ),
)
_CONNECT = re.compile(r"\(: *</dev/tcp/[\w.:]+/(?P<port>\d+)\)(?: 2>/dev/null)?")
Specifier = Callable[[str], str]


def span(text: str) -> float | None:
    """The seconds of `1min 30s` or `90`; None for `infinity`, and for what is no time."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if not parts or re.sub(r"[\d.\sa-z]", "", text) or any(unit not in _UNITS for _, unit in parts):
        return None
    return min(sum(float(number) * _UNITS[unit] for number, unit in parts), 365 * 86400.0)


def life(
    draft: Draft, given: Mapping[str, Any], unit: Mapping[str, Any], variables: Mapping[str, str], specifier: Specifier
) -> None:
    """Give a service what its unit says of starting, restarting and stopping."""

    def last(key: str, *others: Mapping[str, Any]) -> str:
        return next((values[-1] for each in (given, *others) if (values := each.get(key))), "")

    patience = _start_limit(last("TimeoutStartSec") or last("TimeoutSec"))
    is_kept = last("Type").lower() == "oneshot" and is_true(last("RemainAfterExit"))
    stays = is_kept and _undoes(given.get("ExecStop", []))
    _type(draft, last("Type") or "simple", last("RemainAfterExit"), patience)
    if stays:
        del draft.fields["one_shot"]
    is_stopped_by_signal = _hooks(draft, given, variables, specifier)
    _patience(draft, patience)
    _restart(draft, last("Restart") or "no", span(last("RestartSec")), last, unit)
    if told := last("SuccessExitStatus"):
        _codes(draft, told)
    if (told := last("KillSignal")) and not is_stopped_by_signal:
        draft.carry("stop_signal", signal_name(told), f"`KillSignal={told}`", "set `stop_signal`")
    if last("KillMode") in ("mixed", "process") and not is_stopped_by_signal:
        draft.fields["stop_signal"] = {"signal": str(draft.fields.get("stop_signal", "SIGTERM")), "to": "main"}
    draft.fields["stop_grace_period"] = duration(_stop_limit(draft, last("TimeoutStopSec") or last("TimeoutSec")))
    if last("KillMode") in ("process", "none"):
        draft.leave(
            f"`KillMode={last('KillMode')}`", "nothing of a service outlives its stop", "see whether that will do"
        )
    if last("Type").lower() == "forking":
        _keep(draft, specifier(last("PIDFile")))
    if stays:
        _stay(draft, patience)
    if watch := span(last("WatchdogSec")):  # 0 is none
        draft.fields["watchdog"] = duration(watch)
    if told := last("MemoryMax"):
        draft.carry("memory_limit", memory(told), f"`MemoryMax={told}`", "set `memory_limit`, at least 1MB")
    for key, name in LIMITS.items():
        if told := last(key).partition(":")[0].strip():
            seconds = span(told) if name == "cpu_time" else None
            set_limit(draft, name, in_bytes(told) if seconds is None else math.ceil(seconds), f"`{key}={told}`")


def _undoes(told: Sequence[str]) -> bool:
    """Whether there are commands that undo what a job has done, and not to a process, which it has no longer."""
    return bool(unit_file.separated(told)) and "MAINPID" not in " ".join(told)


def _is_endless(told: str) -> bool:
    return told.strip().lower() == "infinity" or span(told) == 0


def _start_limit(told: str) -> float | None:
    """How long a start may take, in seconds; None where nothing is said. 0 and `infinity` are the most there is."""
    return LONGEST_READY if _is_endless(told) else span(told)


def _stop_limit(draft: Draft, told: str) -> float:
    """How long a stop may take, in seconds; 0 and `infinity` are an hour, because portsup always has a limit."""
    if not _is_endless(told):
        found = span(told)
        return TIMEOUT if found is None else found
    why = "systemd waits without a limit, portsup for an hour"
    draft.leave(f"`TimeoutStopSec={told}`", why, "set `stop_grace_period`")
    return LONGEST_STOP


def _type(draft: Draft, told: str, remains: str, patience: float | None) -> None:
    match told.lower():
        case "oneshot":
            draft.has_pool = False
            draft.fields["one_shot"] = True
            if patience is not None:
                draft.fields["ready"] = {"timeout": duration(patience)}
        case "notify" | "notify-reload":
            draft.fields["ready"] = {"notify": True, "timeout": duration(TIMEOUT if patience is None else patience)}
        case _:
            draft.fields["ready"] = "started"
    if is_true(remains) and told.lower() != "oneshot":
        draft.leave("`RemainAfterExit`", "what has ended has ended", "write it as `one_shot: true`")


def _keep(draft: Draft, pid_file: str) -> None:
    """A program that goes to the background: a shell stays in its place."""
    stop = draft.fields.pop("stop_command", None)
    signals = draft.fields.pop("stop_signal", "SIGTERM")
    told = str(signals["signal"] if isinstance(signals, dict) else signals).removeprefix("SIG")
    text = (stop[2] if stop[1:2] == ["-c"] else shlex.join(stop)) if stop else ""
    if not text and pid_file:
        text = f'kill -{told} "$(cat {shlex.quote(pid_file)})"'
    draft.fields["command"] = background.kept(draft.fields["command"], text, pid_file)
    remedy = "an option that keeps it in the foreground would do without"
    draft.notes.append(f"`Type=forking`: it goes to the background, and a shell waits in its place; {remedy}")


def _stay(draft: Draft, patience: float | None) -> None:
    """A job that stays active until it is stopped, and is undone then: a shell stays, and undoes it."""
    stop = draft.fields.pop("stop_command")
    text = stop[2] if stop[1:2] == ["-c"] else shlex.join(stop)
    done = f"{draft.name} is active"
    draft.fields["command"] = background.kept(draft.fields["command"], text, told=done)
    limit = duration(patience or LONGEST_READY)
    draft.fields["ready"] = {"log": f"^{re.escape(draft.name)} is active$", "timeout": limit}
    draft.fields["stop_signal"] = {"signal": "SIGTERM", "to": "main"}
    draft.notes.append("`RemainAfterExit` with `ExecStop`: a shell stays, and runs that when the service is stopped")


def _restart(draft: Draft, told: str, wait: float | None, last: Any, unit: Mapping[str, Any]) -> None:
    draft.fields["restart"] = RESTART.get(told, "never")
    if draft.fields["restart"] == "always" and draft.fields.get("one_shot"):
        draft.fields["restart"] = "on-failure"
    if told in ("on-abnormal", "on-abort", "on-watchdog", "on-success"):
        shown = draft.fields["restart"]
        draft.leave(f"`Restart={told}`", f"there is no such rule; `{shown}` is the nearest", "set `restart`")
    if draft.fields["restart"] == "never":
        return
    burst = whole(last("StartLimitBurst", unit), 0, 10**6)
    interval = span(last("StartLimitIntervalSec", unit) or last("StartLimitInterval", unit))
    burst, interval = BURST if burst is None else burst, INTERVAL if interval is None else interval
    delay = DELAY if wait is None else max(wait, 0.001)
    policy: dict[str, Any] = {"delay": duration(delay), "factor": 1, "max_delay": duration(max(delay, 30.0))}
    steps, most = whole(last("RestartSteps"), 1, 1000), span(last("RestartMaxDelaySec"))
    if steps and most and most > delay:
        policy |= {"factor": round((most / delay) ** (1 / steps), 3), "max_delay": duration(most)}
    # More than `burst` starts within the interval end it; with longer waits between them there never are so many.
    waits = sum(min(delay * policy["factor"] ** each, most or delay) for each in range(min(burst, 1000)))
    is_limited = burst > 0 and interval > 0 and waits <= interval
    policy["max_restarts"] = burst - 1 if is_limited else "infinite"
    if is_limited:
        policy["period"] = duration(interval)
    draft.fields["restart_policy"] = policy


def _patience(draft: Draft, told: float | None) -> None:
    """How long the start may take, where a command of it tells when it is over."""
    ready = draft.fields.get("ready")
    if isinstance(ready, dict) and ready.keys() - {"timeout", "notify"}:
        ready["timeout"] = duration(TIMEOUT if told is None else told)


def _is_wait(draft: Draft, command: unit_file.Command) -> bool:
    """Whether a command is a loop that ends when the service is ready; then that is its `ready`."""
    words = command.words
    is_shell = words[0].rpartition("/")[2] in ("sh", "bash") and words[1:2] == ["-c"] and len(words) == 3
    script = words[2].strip() if is_shell and not command.may_fail else ""
    found = next(filter(None, (pattern.fullmatch(script) for pattern in _WAITS)), None)
    if found is None or command.unknown:
        return False
    if connects := _CONNECT.fullmatch(found["command"].strip()):
        if (port := int(connects["port"])) not in draft.ports:
            draft.ports.append(port)
        probe: dict[str, Any] = {"listening": True}
    else:
        probe = probes.from_command(probes.shell_words(found["command"]), draft)
    draft.fields["ready"] = probe
    return True


def _codes(draft: Draft, told: str) -> None:
    found = []
    for word in told.replace(",", " ").split():
        if word.upper().startswith("SIG") and signals.number_of(word) is not None:
            draft.leave(f"`SuccessExitStatus={word}`", "a signal is never a success", "let the program exit")
        else:
            found.append(word)
    if found:
        codes(draft, ["0", *found], f"`SuccessExitStatus={told}`")


def _hooks(draft: Draft, given: Mapping[str, Any], variables: Mapping[str, str], specifier: Specifier) -> bool:
    """The commands around the program; whether it is stopped by a signal that one of them sends it."""
    hooks = {"ExecStartPre": "pre_start", "ExecStartPost": "post_start", "ExecStopPost": "post_stop"}
    for key, name in (*hooks.items(), ("ExecStop", "")):
        lines = unit_file.separated(given.get(key, []))
        commands = [unit_file.command(each, variables, specifier) for each in lines]
        if key == "ExecStartPost":
            commands = [each for each in commands if not _is_wait(draft, each)]
        if not commands:
            continue
        if any(set(each.prefixes) & {"+", "!"} for each in commands) and draft.fields.get("user"):
            why, remedy = "hooks run as their service does", "prepare what it needs before `portsup up`"
            draft.leave(f"`+` or `!` before a command of `{key}`", why, remedy, source={key: given[key]})
        one = commands[0]
        is_plain = len(commands) == 1 and not one.unknown and (not one.may_fail or name == "post_start")
        words = list(one.words) if is_plain else ["sh", "-c", " && ".join(unit_file.shown(each) for each in commands)]
        if name:
            draft.fields.setdefault("hooks", {})[name] = words
        else:
            draft.fields["stop_command"] = (
                ["sh", "-c", words[-1].replace("$MAINPID", "$PPID")] if words[1:2] == ["-c"] else words
            )
    is_by_signal = False
    told = " ".join(given.get("ExecStop", []))
    if "MAINPID" in told and "stop_command" in draft.fields:
        signal_told = re.search(r"kill\s+(?:-s\s+)?-?(\w+)?\s*\$\{?MAINPID", told)
        del draft.fields["stop_command"]
        known = signal_name(signal_told[1] or "TERM") if signal_told else None
        if known:
            draft.fields["stop_signal"] = {"signal": known, "to": "main"}
            is_by_signal = True
        else:
            draft.leave(
                "`ExecStop`", "the pid of the program is not told to it", "set `stop_signal`", {"ExecStop": told}
            )
    if "hooks" in draft.fields and draft.fields.get("one_shot"):
        for key in ("post_start", "pre_stop"):
            if draft.fields["hooks"].pop(key, None):
                draft.leave(f"`{key}`", "a job is over when it is ready", "put it into the job")
    return is_by_signal
