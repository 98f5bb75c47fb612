"""The probes of process-compose."""

import re
from typing import Any

from supervisor.convert import probes, shell
from supervisor.convert.draft import Draft
from supervisor.convert.values import mapping, maybe_filled, seconds, texts, whole

SHORTEST = 30.0  # seconds; a start on a busy machine takes longer than three tries
DEFAULT_TIMEOUT = 1.0  # seconds of one probe, where process-compose is told none


def carry(draft: Draft, given: dict[str, Any], references: shell.References) -> None:
    """Give a service `ready` and `healthcheck`."""
    for key in ("readiness_probe", "liveness_probe"):
        asked = mapping(given.get(key))
        probe = _probe(draft, asked, references)
        if probe is None:
            continue
        interval = seconds(asked.get("period_seconds")) or 10.0
        timeout = seconds(asked.get("timeout_seconds")) or DEFAULT_TIMEOUT
        retries = whole(asked.get("failure_threshold", 3), 1, 1000) or 3
        if key == "readiness_probe":
            first = seconds(asked.get("initial_delay_seconds")) or 0.0
            draft.fields["ready"] = probes.ready(probe, max(first + interval * retries, SHORTEST))
        else:
            draft.fields["healthcheck"] = probes.healthcheck(probe, interval, timeout, retries)
        if (whole(asked.get("success_threshold", 1), 1, 1000) or 1) > 1:
            draft.leave(f"`success_threshold` of `{key}`", "one success is enough", "see whether that will do")
    if line := given.get("ready_log_line"):
        draft.fields["ready"] = {"log": _pattern(str(line)), "timeout": "24h"}


def _pattern(line: str) -> str:
    """A pattern that means this text, with no more signs than that takes."""
    return re.sub(r"[\\.^$*+?{}\[\]|()]", r"\\\g<0>", line[:500])


def _probe(draft: Draft, given: dict[str, Any], references: shell.References) -> dict[str, Any] | None:
    asked = mapping(given.get("exec"))
    if command := asked.get("command"):
        if folder := asked.get("working_dir"):
            draft.leave(f"`working_dir: {folder}` of a probe", "it runs in the service's directory", "use `cd`")
        return probes.from_command(probes.shell_words(str(command), references), draft)
    asked = mapping(given.get("http_get"))
    if not asked:
        return None
    host, scheme = str(asked.get("host") or "127.0.0.1"), str(asked.get("scheme") or "http").lower()
    path, port = str(asked.get("path") or "/"), str(asked.get("port") or "")
    if host not in ("127.0.0.1", "localhost", "0.0.0.0", "::1") or scheme != "http":
        draft.notes.append(f"its probe asks `{scheme}://{host}`, which `http` does not: curl does")
        url = maybe_filled(f"{scheme}://{host}{f':{port}' if port else ''}{path}")
        return {"exec": ["curl", "-fsS", "-o", "/dev/null", url]}
    sent = {name: maybe_filled(", ".join(texts(value))) for name, value in mapping(asked.get("headers")).items()}
    good = whole(asked.get("status_code", ""), 100, 400)
    if number := shell.listed_only([port], references)[0]:
        port = number if number.isdecimal() else port
    return probes.http(path, port or ("80" if not draft.ports else ""), draft, sent, good)
