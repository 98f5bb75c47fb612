"""What commands and the library say of services, from what the running instance or its journal tells."""

from collections.abc import Collection, Iterable, Sequence

from supervisor.errors import NotFound, PortsupError, WaitTimedOut
from supervisor.words.enumeration import often

CANNOT_ANSWER = "cannot answer"
NOT_SEEN = "portsup has not seen it yet"
NOT_RUNNING = "it is not running"
NO_HEALTHCHECK = "it has no `healthcheck`"
HUNG = "portsup had hung, and its guardian killed it"
STOPPED = "it was stopped"
SILENT_END = "portsup ended without a word, as after SIGKILL"
NOTHING_CHANGED = "nothing has changed"
NOT_THERE = "not there"
NO_INSTANCE = "no instance is running"
NO_PORT_LEASED = "no port is leased"
SINCE_THEN = "since then"
NEXT = "what to do next"


def last_run(how: str) -> str:
    """How the last run of a stack ended that does not run."""
    return how if how in (NOT_RUNNING, STOPPED) else f"{NOT_RUNNING}; the last run: {how}"


def cannot_follow(why: str) -> str:
    """That nobody can tell how a stack is."""
    return f"portsup cannot follow it: {why}"


def not_running(why: str) -> str:
    """That a stack does not run, and how it ended."""
    return "The stack is not running." if why == NOT_RUNNING else f"The stack does not run: {why}."


def fatal(what: object, why: object) -> str:
    """The error that ended an instance."""
    return f"{what}: {why}"


def ended_with(service: object, why: object) -> str:
    """That the end of a service ended everything."""
    return f"`{service}` has ended ({why}), and everything with it"


def with_reason(state: str, reason: str) -> str:
    """A state, and why it is so."""
    return state + (f", {reason}" if reason else "")


def has_ended(state: str, reason: str) -> str:
    """Why nobody needs to wait for it any longer."""
    return f"it has {state}" + (f": {reason}" if reason else "")


def taken(port: int, holder: str) -> str:
    """Who has its port."""
    return f"port {port} is {holder}"


def away(name: str, state: str, why: str) -> str:
    """That a replica is not ready."""
    return f"{name} is {state}" + (f": {why}" if why else "")


def waits_for_needs(needs: Sequence[str]) -> str:
    """Why a service does not start yet."""
    return f"waits for {', '.join(needs)}"


def rolling(pid: int | None, other: int, state: str) -> str:
    """Which two processes it has during a rolling restart; `state` is that of the `other` one."""
    if state == "starting":
        return f"rolling restart: pid {other} starts, pid {pid} still serves"
    return f"rolling restart: pid {pid} has taken over, pid {other} is {state}"


def named(names: Iterable[str]) -> str:
    """Which names there are."""
    return f"there are: {', '.join(f'`{one}`' for one in names)}"


def not_found(name: str, hint: str) -> NotFound:
    """The instance has no such service."""
    return NotFound(f"cannot find `{name}`", "the running instance has no such service", hint)


def no_service(name: str, known: Collection[str] = (), what: str = "cannot find service `{}`") -> NotFound:
    """The stack has no such service."""
    hint = f"services: {', '.join(known)}" if known else ""
    return NotFound(what.format(name), "the stack has none of that name", hint)


TELL_OF = "cannot explain `{}`"
FIND_LOG = "cannot find the log of `{}`"
SHOW = "cannot show `{}`"


def unknown(name: str, hint: str, what: str = "cannot find `{}`") -> NotFound:
    """The stack has no such service; the hint says which there are."""
    return NotFound(what.format(name), "the stack has no such service", hint)


def not_written(name: str) -> NotFound:
    """The file has no such service; one that runs may have been taken out of it."""
    return NotFound(f"cannot show `{name}`", "services.yaml has no such service", "`portsup reload` applies it")


def needs(name: str, need: str, how: str) -> str:
    """Which service depends on which."""
    return f"{name} needs {need}: {how}"


def not_waited(goal: str) -> str:
    """What could not be done."""
    return f"cannot wait until all are {goal}"


def hopeless(name: str, goal: str, why: str, hint: str = "") -> PortsupError:
    """A service does not get there by itself."""
    return PortsupError(f"cannot wait until `{name}` is {goal}", why, hint)


def why_hint(name: str) -> str:
    """Where the reason is."""
    return f"`portsup why {name}` explains it"


def states(late: Iterable[tuple[str, str]]) -> str:
    """How services are that somebody waits for."""
    return ", ".join(f"`{name}` is {state}" for name, state in late)


def waited_too_long(seconds: float, late: Iterable[tuple[str, str]], names: Sequence[str]) -> WaitTimedOut:
    """The time of a `wait` is over."""
    hint = f"`portsup logs {' '.join(names)}` has what they printed"
    return WaitTimedOut(f"cannot wait longer than {seconds:g} s", states(late), hint)


def ended_meanwhile(what: str) -> NotFound:
    """The instance is gone."""
    return NotFound(what, "the instance has ended", "`portsup events` shows why")


HOW_IT_ENDED = "cannot tell how it ended"
WAIT_LONGER = "cannot wait any longer"
WATCH_LONGER = "cannot watch any longer"


def stopped(code: int | None) -> str:
    """That somebody stopped it, and what it returned."""
    return "stopped" if code is None else f"stopped, exit code {code}"


def waits_for(name: str, goal: str, fact: str, left: float | None) -> str:
    """Whom a `wait` waits for, and for how long still."""
    limit = "" if left is None else f" ({left:.0f} s left)"
    return f"waiting for {name} to be {goal}: it is {fact}{limit}"


def nothing_wrong(service: str, is_up: bool, now: str) -> str:
    """That there is nothing to explain."""
    return f"nothing has gone wrong with `{service}` {_when(is_up)}; it {now}"


def went_wrong(service: str, times: int, is_up: bool, now: str) -> str:
    """How often something went wrong."""
    return f"`{service}` went wrong {often(times)} {_when(is_up)}; it {now}"


def _when(is_up: bool) -> str:
    return "since the stack came up" if is_up else "in its last run"


def failure(number: int, total: int) -> str:
    """Which failure is told of."""
    return f"failure {number} of {total}"


def last_output(has_new_process: bool) -> str:
    """What follows is what it printed."""
    return "its last output" + (" before its next process" if has_new_process else "")


def now(state: str | None, port: int | None, why: str = "") -> str:
    """How it is now, and why; None while nothing runs."""
    if state is None:
        return "does not run now"
    place = f" on port {port}" if port is not None else ""
    return f"is {state}{place} now" + (f": {why}" if why else "")


def no_address(command: str, name: str, state: str, reason: str) -> PortsupError:
    """It has no port, and so no URL."""
    why = f"it is {state}" + (f": {reason}" if reason else "")
    return PortsupError(f"cannot print the {command} of `{name}`", why, f"`portsup start {name}` gives it a port")


def not_up(name: str, state: str) -> str:
    """That nobody answers at the address."""
    return f"`{name}` is {state}, not running"


def stalls(count: int, least: int, longest: int, doing: str) -> str:
    """How well the event loop of an instance is served; times in milliseconds."""
    told = f"stalls of {least} ms and more: {count}; the longest turn took {longest} ms"
    return told + (f", {doing}" if doing else "")


def elsewhere(instance: str) -> str:
    """That a command is about an instance of another folder."""
    return f"no instance of this directory is running; using {instance}"


def daemon_hung(hint: str) -> PortsupError:
    """The daemon hung while the stack came up."""
    return PortsupError("cannot bring the stack up", "the portsup daemon hung, and its guardian killed it", hint)


def daemon_died(pid: int, signal: int) -> PortsupError:
    """The daemon died while the stack came up."""
    why = f"portsup in the background (pid {pid}) was ended by signal {signal}"
    return PortsupError("cannot tell whether the stack is up", why, "`portsup up` cleans up what may be left")


def not_gone(stack: str, number: int, whose: str, pid: int | None, seconds: float) -> PortsupError:
    """The services have stopped, and their instance has not ended after so many seconds."""
    return PortsupError(
        f"cannot see the end of instance {number} of `{stack}`",
        f"its process ({whose}) still holds the instance {seconds:g} s after its services stopped",
        f"`kill -KILL {pid}` ends it; nothing of it stays behind" if pid else "",
    )


def nothing_to_follow() -> NotFound:
    """There are no new events."""
    what, why = "cannot follow the events", "the instance does not run"
    return NotFound(what, why, "`portsup events` has those of the past")


def no_start_known(folder: str) -> NotFound:
    """Nothing was started that one could tell of."""
    why = f"the journal in `{folder}` has no start"
    return NotFound("cannot tell how long a start took", why, "`portsup up` starts the stack")


def chain_head(took: str) -> str:
    """What stands above the services that a start has waited for."""
    return f"\nready at   took     critical chain, last one first ({took} in all)"


def more(count: int) -> str:
    """How many lines do not fit."""
    return f"... {count} more"


CANNOT_SUPERVISE = "cannot supervise services"


def restarts_for_it(restarts: bool) -> str:
    """Whether a reload restarts the service."""
    return " (restarts)" if restarts else ""
