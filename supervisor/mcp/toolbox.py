"""What each tool does, by the library alone; every call may take as long as its work does, so not in an event loop."""

import re
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from supervisor.api.following import why_ended
from supervisor.api.lacking import in_words
from supervisor.api.project import NotRunning, Project
from supervisor.api.rows import needed_by
from supervisor.api.sight import needs_of
from supervisor.api.stack import DaemonGone
from supervisor.api.values import LogQuery, Outcome, ServiceStatus
from supervisor.core.state import AT_REST
from supervisor.errors import PortsupError, WaitTimedOut
from supervisor.mcp.leases import Leases
from supervisor.mcp.results import NOTICE, Refused, Result, lines_of, made, refusal, several, story_of, told
from supervisor.mcp.schema import MOST_BYTES, TOOLS, Tool, complaint_of
from supervisor.words import answers, view
from supervisor.words import tools as words

UP_WITHIN = 45.0  # seconds until a call returns, whether the stack is up or not: most clients give up after 60
EVENTS_AT_ONCE = 40
_LINES_OF_FAILURE = 15
_LOOK_WHO_WAITS = 2.0  # seconds
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Toolbox:
    """The tools on the stack of one folder."""

    def __init__(self, project: Project, *, read_only: bool = False) -> None:
        """With `read_only` there are only those that change nothing."""
        self.project = project
        self.leases = Leases()
        self._is_closed = threading.Event()
        self.tools: dict[str, Tool] = {each.name: each for each in TOOLS if not (read_only and each.writes)}

    def close(self) -> None:
        """Gives back what was leased, and has calls end that only wait."""
        self._is_closed.set()
        self.leases.close()

    def call(self, name: str, arguments: dict[str, Any]) -> Result:
        """Carries out one call; what goes wrong is a result too."""
        try:
            tool = self.tools.get(name)
            if tool is None:
                raise Refused("no-such-tool", f"there is no tool `{name}` here", f"tools: {', '.join(self.tools)}")
            if complaint := complaint_of(tool, arguments):
                raise Refused("bad-argument", complaint)
            act: Callable[..., Result] = getattr(self, f"_{name}")
            return act(**arguments)
        except Refused as refused:
            return refused.result
        except PortsupError as error:
            return refusal(error)
        except OSError as error:  # no descriptor is left, or a disk fails
            return refusal(in_words(error))

    def question_before(self, name: str, arguments: dict[str, Any]) -> str:
        """What the user is asked before a call is carried out; empty where there is nothing to ask."""
        tool = self.tools.get(name)
        if tool is None or not tool.destroys or complaint_of(tool, arguments):
            return ""
        try:
            info = self.project.running()
            if info is None:
                return ""
            if name == "down":
                running = [row.name for row in self.project.stack().status() if row.pid is not None]
                return words.stop_all(info.stack, info.instance, running)
            return self._question_before_stop(arguments["services"])
        except (PortsupError, OSError):  # the call itself tells
            return ""

    def command_for(self, name: str, arguments: dict[str, Any]) -> str:
        """What a person types to do the same."""
        return shlex.join(["portsup", name, *arguments.get("services", ())])

    def _question_before_stop(self, services: Sequence[str]) -> str:
        """Only where others would lose what they need."""
        running = {row.name for row in self.project.stack().status() if row.pid is not None}
        hit = [name for name in needed_by(services, needs_of(self.project)) if name in running]
        return view.is_needed(services, hit) if hit else ""

    def _status(self, services: Sequence[str] = ()) -> Result:
        info = self.project.running()
        if info is None:
            names = list(self.project.spec().services)
            return made(ok=True, state=words.NOT_RUNNING, why=self._nothing_runs(), services=names, next="up()")
        rows = self.project.stack().status(*services)
        found = several(rows, ok=True)
        return {"ok": True, "stack": info.stack, "instance": info.instance} | found

    def _nothing_runs(self) -> str:
        how = why_ended(*self.project.name())
        return words.nothing_runs("" if how == answers.NOT_RUNNING else how)

    def _ports(self, port: int | None = None) -> Result:
        stack = self.project.stack()
        pools = {row.name: row.pool for row in stack.status() if row.pool}
        if port is None:
            return made(ok=True, pools={name: [_port_words(each) for each in pool] for name, pool in pools.items()})
        here = next(((name, each) for name, pool in pools.items() for each in pool if each.port == port), None)
        service, state = (here[0], here[1].state) if here else (None, words.IN_NO_POOL)
        holder = here[1].holder if here else None
        return made(
            ok=True, port=port, service=service, state=state, why=holder,
            history=[told(each) for each in stack.port_history(port)[-20:]],
        )  # fmt: skip

    def _logs(
        self, service: str = "", grep: str | None = None, level: str | None = None, since: str = "",
        since_restart: bool = False, context: int = 0, tail: int = 50, max_bytes: int = 8000, cursor: str = "",
    ) -> Result:  # fmt: skip
        known = self.project.services()
        if service and service not in known:
            raise answers.no_service(service, known)
        more = 1 if cursor and not context else 0  # so that what is passed over between two calls is said
        query = LogQuery(
            grep=grep, level=level, since=_moment(since), since_restart=since_restart, context=context,
            count=tail + more, cursor=cursor,
        )  # fmt: skip
        page = self.project.search(*([service] if service else known), query=query)
        found = page.lines if context else page.lines[-tail:]
        lines, left_out = lines_of(found, min(max_bytes, MOST_BYTES), prefix=not service)
        why = "; ".join(words.missing(
            left_out, is_beyond_tail=bool(more) and len(page.lines) > tail, has_gap=page.has_gap, is_cut=page.is_cut,
        ))  # fmt: skip
        if not lines and not why:
            why = words.NO_MATCH if grep or level else words.nothing_printed(bool(cursor))
        return made(ok=True, service=service, why=why, notice=NOTICE if lines else "", cursor=page.cursor) | {
            "last_lines": lines
        }

    def _why(self, service: str) -> Result:
        why = self.project.why(service, failures=1, lines=_LINES_OF_FAILURE)
        return story_of(why, _LINES_OF_FAILURE)

    def _events(self, service: str = "", cursor: str = "") -> Result:
        page = self.project.history(*([service] if service else ()), cursor=cursor, count=EVENTS_AT_ONCE)
        is_full = bool(cursor) and len(page.events) == EVENTS_AT_ONCE  # the first ones behind it: there may be more
        then = words.more_events(service, page.cursor) if is_full else ""
        return {"ok": True, "events": [told(each) for each in page.events], "cursor": page.cursor} | made(next=then)

    def _wait(self, services: Sequence[str] = (), state: str = "ready", timeout: int = 30) -> Result:
        until = time.monotonic() + timeout
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                return several(self.project.stack().wait(*services, goal=state, timeout=min(left, _LOOK_WHO_WAITS)))
            except (NotRunning, DaemonGone):
                raise
            except PortsupError as error:
                if not isinstance(error, WaitTimedOut) or left <= _LOOK_WHO_WAITS or self._is_closed.is_set():
                    return refusal(error) | self._reason_of_failure(services)

    def _up(self, services: Sequence[str] = ()) -> Result:
        if self.project.running() is not None:
            rows = self.project.stack().status(*services)
            told = several(rows, ok=True)
            asleep = [row.name for row in rows if row.state in AT_REST and not row.is_fine]
            then = f"start(services={asleep})" if asleep else told.get("next", "")
            return {**told, "why": words.IS_UP} | made(next=then)
        came = self.project.up(*services, timeout=UP_WITHIN)
        if came.exit_code is None:
            return made(ok=True, state="starting", why=words.not_ready_after(UP_WITHIN), next="wait()")
        if came.ok:
            rows = self.project.stack().status(*services)
            return several(rows) | made(why=_remarks(came.words))
        code = {2: "config", 12: "pool-exhausted", 10: "gave-up", 11: "unhealthy", 14: "instance-taken"}
        then = words.FIX_FILE if came.exit_code == 2 else words.FIX_IT
        found = made(ok=False, code=code.get(came.exit_code, "failed"), why=came.words[-3000:], next=then)
        return found if came.exit_code == 2 else found | self._reason_of_failure(services)

    def _start(self, services: Sequence[str]) -> Result:
        return self._outcome(self.project.stack().start(*services))

    def _restart(self, services: Sequence[str], rolling: bool = False) -> Result:
        if not services:
            raise Refused("bad-argument", "`services` of `restart` is empty", "restart(services=[...])")
        return self._outcome(self.project.stack().restart(*services, rolling=rolling))

    def _stop(self, services: Sequence[str]) -> Result:
        if not services:
            raise Refused("bad-argument", "`services` of `stop` is empty", "down() stops everything")
        return self._outcome(self.project.stack().stop(*services))

    def _rotate(self, service: str) -> Result:
        return self._outcome([self.project.stack().rotate(service)])

    def _reload(self, dry_run: bool = True) -> Result:
        stack = self.project.stack()
        if not dry_run:
            outcomes = stack.reload()
            return self._outcome(outcomes) if outcomes else made(ok=True, why=answers.NOTHING_CHANGED)
        found = stack.compare()
        changed = [made(service=each.name, keys=list(each.keys), restarts=each.restarts) for each in found.changed]
        is_same = not (found.added or found.removed or changed or found.top)
        return made(
            ok=True, why=answers.NOTHING_CHANGED if is_same else "",
            added=list(found.added), removed=list(found.removed), changed=changed,
            top=list(found.top), next="" if is_same else "reload(dry_run=false)",
        )  # fmt: skip

    def _lease(self, pool: str, purpose: str, minutes: int = 30) -> Result:
        return self.leases.take(pool, purpose, minutes)

    def _down(self) -> Result:
        self.project.stack().down()
        return made(ok=True, state=words.NOT_RUNNING, why=words.ALL_STOPPED)

    def _outcome(self, outcomes: Sequence[Outcome]) -> Result:
        """How it went, and how the services are now."""
        names = [each.name for each in outcomes]
        wrong = [each for each in outcomes if not each.ok]
        rows: list[ServiceStatus] = [row for row in self.project.stack().status() if row.name in names]
        found = several(rows, ok=not wrong)
        why = "; ".join(f"{each.name}: {each.words}" for each in wrong or (outcomes if len(outcomes) == 1 else ()))
        found |= made(why=why[:3000])
        return found | ({"code": "failed"} | self._reason_of_failure([each.name for each in wrong]) if wrong else {})

    def _reason_of_failure(self, services: Sequence[str]) -> Result:
        """What the first of these that went wrong printed, and the call that tells more."""
        try:
            for name in services or self.project.services():
                why = self.project.why(name, failures=1, lines=_LINES_OF_FAILURE)
                if why.chapters and why.state not in ("running",):
                    story = story_of(why, _LINES_OF_FAILURE)
                    kept = {key: story[key] for key in ("last_lines", "notice") if key in story}
                    return kept | {"next": f'why(service="{name}")'}
        except PortsupError:
            pass
        return {}


def _port_words(port: Any) -> str:
    return f"{port.port} {port.state}" + (f": {port.holder}" if port.holder else "")


def _remarks(words: str) -> str:
    """What `up` warned of."""
    return "; ".join(line for line in words.splitlines() if line.startswith("warning:"))


def _moment(text: str) -> float | None:
    """Seconds since 1970 for `10m` or an ISO time; None for nothing."""
    if not text:
        return None
    if span := re.fullmatch(r"(\d{1,9})([smhd])", text):
        return time.time() - int(span[1]) * _UNITS[span[2]]
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        why = f"`since` cannot be {text[:40]!r}: write 10m, 2h or 2026-03-01T09:30"
        raise Refused("bad-argument", why) from None
