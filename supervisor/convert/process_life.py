"""How a process of process-compose ends: restarts, exits of the whole, and how it is stopped."""

from typing import Any

from supervisor.convert import shell
from supervisor.convert.draft import Draft
from supervisor.convert.values import (
    LONGEST,
    codes,
    duration,
    is_true,
    log_size,
    mapping,
    seconds,
    signal_name,
    texts,
    whole,
)

RESTART = {"no": "never", "false": "never", "always": "always", "on_failure": "on-failure", "exit_on_failure": "never"}
DEFAULT_TIMEOUT = 10.0  # seconds that a `shutdown.command` may take
BACKOFF = 1.0  # seconds before a restart, where nothing is said; each wait is as long as the first


def end(draft: Draft, given: dict[str, Any], references: shell.References) -> None:
    """Give a service what follows its end, and what stops it."""
    policy = mapping(given.get("availability"))
    told = str(policy.get("restart") or "no")
    draft.fields["restart"] = RESTART.get(told, "never")
    if ends := texts(given.get("success_exit_codes")):
        codes(draft, ["0", *ends], "`success_exit_codes`")
    _limits(draft, policy)
    if is_true(policy.get("exit_on_end", "false")):
        draft.fields["on_end"] = "stop_all"
    elif told == "exit_on_failure":
        draft.fields["on_end"] = {"failure": "stop_all"}
    if is_true(policy.get("exit_on_skipped", "false")) and "on_end" not in draft.fields:
        draft.fields["on_end"] = {"failure": "stop_all"}
        draft.notes.append("`exit_on_skipped` ended all when what it depends on failed; now its own failure does, too")
    _stop(draft, mapping(given.get("shutdown")), references)
    rotation = mapping(mapping(given.get("log_configuration")).get("rotation"))
    found = {
        "max_size": log_size(f"{rotation.get('max_size_mb', '')}m"),
        "backups": whole(rotation.get("max_backups"), 0, 1000),
    }
    if any(value is not None for value in found.values()):
        draft.fields["logging"] = {key: value for key, value in found.items() if value is not None}


def _limits(draft: Draft, policy: dict[str, Any]) -> None:
    if draft.fields["restart"] == "never":
        return
    wait, most = seconds(policy.get("backoff_seconds")) or BACKOFF, whole(policy.get("max_restarts"), 0, 1_000_000)
    limits: dict[str, Any] = {"delay": duration(wait), "factor": 1, "max_delay": duration(max(wait, 30.0))}
    limits["max_restarts"] = most or "infinite"  # there 0 is without end, and so it is where nothing is said
    if most:
        limits["period"] = duration(LONGEST)  # there all restarts count, however long ago they were
    draft.fields["restart_policy"] = limits


def _stop(draft: Draft, shutdown: dict[str, Any], references: shell.References) -> None:
    known = signal_name(shutdown["signal"]) if shutdown.get("signal") else None
    if is_true(shutdown.get("parent_only", "false")):
        draft.fields["stop_signal"] = {"signal": known or "SIGTERM", "to": "main"}
    elif known:
        draft.fields["stop_signal"] = known
    grace = seconds(shutdown.get("timeout_seconds"))
    if command := str(shutdown.get("command") or "").strip():
        line = shell.read(command, references)
        text = shell.listed_only([command], references)[0]
        needs_shell = line.uses_port or line.why_shell or line.text or line.environment
        draft.fields["stop_command"] = ["sh", "-c", text] if needs_shell else line.words
        grace = min(2 * (DEFAULT_TIMEOUT if grace is None else grace), LONGEST)  # half of it is for the command
    if grace is not None:
        draft.fields["stop_grace_period"] = duration(grace)
    if shutdown.get("send_keys"):
        draft.leave("`send_keys`", "services have no terminal", "set `stop_signal`")
