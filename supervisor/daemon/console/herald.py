"""Says what happens to the services: in words for the person at the terminal, as events for the journal.  Pure."""

import signal
from collections.abc import Collection, Sequence
from typing import Any

from supervisor.config.spec import ServiceSpec
from supervisor.core.service import KILL_REQUESTED, Service
from supervisor.core.state import Beside, Health, Milestone, Result, Role, State, Then
from supervisor.core.stdin import Stdin, seems_to_watch
from supervisor.dataclass import dataclass, field

AT_ONCE = 10.0  # seconds within which a program has ended at once
STDIN_HINT = "such programs end with their standard input: set `stdin: open`"


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell: `event` and `facts` for the journal, `words` for people ("" if it is not worth their time)."""

    level: str  # info | warning | error
    event: str
    words: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def news(before: Service, after: Service, spec: ServiceSpec, took: float | None) -> News | None:
    """What the step from `before` to `after` means; `took` is the age of the process in seconds."""
    if (roll := _roll_news(before, after)) is not None:
        return roll
    if after.state is before.state:
        return _within(before, after)
    match after.state:
        case State.RUNNING:
            place = f" on port {after.port}" if after.port is not None else ""
            words = f"ready{place}" + (f" after {took:.1f} s" if took is not None else "")
            return News("info", "service ready", words, {"port": after.port, "pid": after.pid})
        case State.STARTING if _is_coming(before.beside):
            return _restarting(after, f"pid {after.pid}, which was to replace it, takes its place")
        case State.STARTING | State.PREPARING if after.restarts > before.restarts:
            return _restarting(after, "started again")
        case State.BACKOFF:
            return _restarting(after, "will be started again")
        case State.CLEANING if after.then is Then.RETRY and before.state is State.PREPARING:
            return News("warning", "start failed", "", {"why": after.reason})  # said when it is known what follows
        case State.ACQUIRING if before.state not in (State.STOPPED, State.EXITED, State.FAILED):
            why = after.reason or "rotation requested"
            return News("warning", "port left", f"leaves port {before.port}: {why}", {"port": before.port, "why": why})
        case State.KILLING if before.state is State.TERMINATING and after.reason != KILL_REQUESTED:
            words = f"still there after {after.grace:g} s of grace: killed" if after.grace else ""
            return News("warning", "grace period over" if words else "service is killed", words, {"pid": after.pid})
        case State.KILLING if after.then is Then.EXIT:
            words = f"{readable(after.reason)}, and left processes behind: they are killed"
            return News("warning", "processes left behind", words, {"pid": after.pid})
        case State.TERMINATING if after.then is Then.LEAVE:
            return News("info", "service stops itself", "says that it is stopping", {"pid": after.pid})
        case State.TERMINATING if after.then in (Then.RETRY, Then.ROTATE):
            return News("warning", "service is ended", after.reason, {"pid": after.pid, "why": after.reason})
        case State.FAILED:
            fatal = after.result in (Result.NO_PORT, Result.LOCK_LOST)  # the last words of the stack say it in full
            words = failure(after, spec)
            facts = {"result": after.result, "why": after.reason, "exit_code": after.exit_code, "words": words}
            return News("error", "service failed", "" if fatal else words, facts)
        case State.EXITED:
            hint = _lost_its_stdin(spec, took)
            facts = {"exit_code": after.exit_code, **({"hint": hint} if hint else {})}
            return News("info", "service exited", f"ended, {after.reason}" + (f"; {hint}" if hint else ""), facts)
        case State.STOPPED if before.state not in (State.EXITED, State.FAILED, State.WAITING):
            return News("info", "service stopped", "stopped", {})
    return News("info", f"service {after.state}", "", {"port": after.port, "pid": after.pid, "why": after.reason})


def _within(before: Service, after: Service) -> News | None:
    """What a step means that leaves the state as it is."""
    if after.health is not before.health:
        if after.health is Health.UNHEALTHY:
            return News("warning", "service unhealthy", after.reason, {"pid": after.pid, "why": after.reason})
        return News("info", f"service {after.health}", "", {"pid": after.pid})
    if after.restarts > before.restarts and after.state in (State.STARTING, State.PREPARING):
        return _restarting(after, "started again")
    if after.told and after.told != before.told:
        return News("info", "service says", "", {"pid": after.pid, "says": after.told})
    if after.reloading_since is not None and before.reloading_since is None:
        return News("info", "service reloads", "", {"pid": after.pid})
    if after.reloading_since is None and before.reloading_since is not None:
        return News("info", "service reloaded", "", {"pid": after.pid})
    if after.state is not State.STARTING:
        return None
    if after.pid is not None and after.pid != before.pid:
        return News("info", "service spawned", "", {"port": after.port, "pid": after.pid})
    if after.reached > before.reached and after.reached is Milestone.LISTENING:
        return News("info", "service listens", "", {"port": after.port, "pid": after.pid})
    if after.trouble != before.trouble:
        return News("info", "service not ready yet", "", {"pid": after.pid, "why": after.trouble})
    return None


def _roll_news(before: Service, after: Service) -> News | None:
    """What there is to tell of a rolling restart."""
    was, now = before.beside, after.beside
    if was is not None and _is_coming(was) and was.pid is None and now is not None and now.pid is not None:
        words = f"pid {now.pid} starts beside pid {after.pid}"
        return News("info", "roll begins", words, {"pid": now.pid, "beside": after.pid})
    if after.state is State.RUNNING and after.pid != before.pid and now is not None:
        place = f" on port {after.port}" if after.port is not None else ""
        words = f"pid {after.pid} is ready and takes over{place}; pid {now.pid} is asked to stop"
        return News("info", "roll hands on", words, {"port": after.port, "pid": after.pid, "leaving": now.pid})
    if after.roll_trouble != before.roll_trouble and after.roll_trouble and after.state is State.RUNNING:
        words = f"rolling restart given up: {readable(after.roll_trouble)}; pid {after.pid} stays in service"
        return News("warning", "roll failed", words, {"why": after.roll_trouble, "pid": after.pid})
    if was is None or now is None or was.pid != now.pid:
        return None
    if was.role is Role.LEAVING and now.role is Role.DOOMED and after.state is State.RUNNING:
        words = f"pid {now.pid} is still there after {was.grace:g} s of grace: killed"
        return News("warning", "grace period over", words, {"pid": now.pid})
    if was.deadline is not None and now.deadline is None:
        words = f"pid {now.pid}, which was replaced, is still alive after SIGKILL"
        return News("warning", "process left over", words, {"pid": now.pid})
    return None


def _lost_its_stdin(spec: ServiceSpec, took: float | None) -> str:
    """What to do about a program that watches files and ended at once, because its standard input had; else empty."""
    return STDIN_HINT if took is not None and took < AT_ONCE and _ends_with_stdin(spec) else ""


def _ends_with_stdin(spec: ServiceSpec) -> bool:
    return spec.stdin is Stdin.NULL and not spec.one_shot and seems_to_watch(spec.command)


def _is_coming(beside: Beside | None) -> bool:
    return beside is not None and beside.role is Role.SUCCESSOR


def _restarting(after: Service, what: str) -> News:
    return News("warning", "service restarts", f"{readable(after.reason)}; {what}", {
        "why": after.reason, "exit_code": after.exit_code, "restarts": after.restarts,
    })  # fmt: skip


def failure(svc: Service, spec: ServiceSpec) -> str:
    """Why a service gave up, and what to do about it."""
    ran = f"`{' '.join(spec.command)}` in {spec.working_dir}"
    if svc.never_listened:
        ran += f"; make it listen on ${spec.port_env}, or put {{port}} into its command"
    elif svc.exit_code == 0 and _ends_with_stdin(spec):
        ran += f"; {STDIN_HINT}"
    match svc.result:
        case Result.HOOK_FAILED:
            return f"cannot be started: {readable(svc.reason)}\n  {_next(svc)}"
        case Result.SPAWN_FAILED:
            return f"cannot be started: {svc.reason}"
        case Result.NO_PORT:
            return "no port of its pool can be used"
        case Result.DEPENDENCY:
            return f"is not started: {svc.reason}"
        case Result.START_LIMIT:
            return f"gave up: {readable(svc.reason)}\n  it runs {ran}\n  {_next(svc)}"
        case Result.UNHEALTHY:
            return f"gave up: {svc.reason}\n  {_next(svc)}"
        case Result.LOCK_LOST:
            return svc.reason
        case Result.TIMEOUT if svc.pid is not None:
            who = svc.reason if svc.survivor else f"process {svc.pid} is {svc.reason}"
            return f"{who}; its port stays reserved, and `portsup start {svc.name}` starts it all the same"
    return f"failed: {readable(svc.reason)}\n  it ran {ran}\n  {_next(svc)}"


def _next(svc: Service) -> str:
    return f"`portsup logs {svc.name}` has what it printed; when it is mended, `portsup start {svc.name}`, or `up`"


def readable(reason: str) -> str:
    """`reason` with the names of signals beside their numbers."""
    words = reason.split(" ")
    for position, word in enumerate(words[:-1]):
        number = words[position + 1].rstrip(",;")
        if word == "signal" and number.isdigit():
            try:
                name = signal.Signals(int(number)).name
            except ValueError:
                continue
            words[position + 1] = words[position + 1].replace(number, f"{number} ({name})")
    return " ".join(words)


def fallback(service: str, port: int, skipped: Collection[tuple[int, str]]) -> str:
    """That a service got another port than its first, and who is on those before it."""
    reasons = ", ".join(f"{each} is {why}" if _is_participle(why) else f"{each}: {why}" for each, why in skipped)
    return f"{service}: uses port {port} ({reasons})"


def bad_port(service: str, port: int, url: str) -> str:
    """That clients of the Fetch standard refuse a port, and where else they find the service; `url` may be empty."""
    clients = "browsers and other clients of the Fetch standard, such as fetch() in Node.js,"
    what = f"{service}: {clients} refuse port {port}"
    return f"{what}; for them it is at {url}" if url else f"{what}; put another port first in its pool for them"


def _is_participle(why: str) -> bool:
    return why.startswith(("held ", "leased ", "reserved ", "in use", "quarantined"))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns, two blanks between them, indented by two."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(f"  {line}" for line in lines)
