"""What the person at the terminal reads of an event."""

from collections.abc import Collection, Mapping, Sequence

from supervisor.core import journal
from supervisor.core.state import Result
from supervisor.words import naming
from supervisor.words.enumeration import counted, some_of
from supervisor.words.failures import other_port_hint
from supervisor.words.holders import is_participle
from supervisor.words.moments import moment

FILTER_REFUSED = (
    "it installs a seccomp listener of its own, which the kernel refuses (EBUSY) beneath that of the handoff"
)
HANDOFF_OFF = "set `handoff: off` for it"
FATAL = (Result.NO_PORT, Result.LOCK_LOST)  # the last words of the stack say these in full


def words_of(event: journal.Event) -> str:
    """The sentence for it, without the name of the service; empty if it is not worth their time."""
    match event:
        case journal.ServiceReady():
            took = "" if event.took is None else f" after {event.took:.1f} s"
            return f"ready{_place(event.port)}{took}"
        case journal.ServiceIdle():
            return "" if event.port is None else f"is idle: its first client{_place(event.port)} starts it"
        case journal.ServiceCalled():
            return "starts, because a client waits for it"
        case journal.ClientsRefused():
            return f"refuses the clients that wait for it: it was not ready within {event.within:g} s"
        case journal.ClientsUnseen():
            return f"`idle_stop` does not stop it: the system does not tell when its clients leave ({event.why})"
        case journal.RoomAwaited():
            return f"waits for room: {event.why}"
        case journal.ServiceTerminating(cause={"kind": "unused" | "makes-room"}):
            return f"stops until its next client comes: {event.why}"
        case journal.ServiceRestarts():
            return f"{event.why}; {_next_start(event)}"
        case journal.PortLeft():
            return f"leaves port {event.port}: {event.why}"
        case journal.GraceOver() if event.is_replaced:
            return f"pid {event.pid} did not end within its grace period of {event.grace:g} s: killed"
        case journal.GraceOver():
            return f"did not end within its grace period of {event.grace:g} s: killed"
        case journal.LeftBehind():
            return f"{event.why}, and left processes behind: portsup kills them"
        case journal.StopsItself():
            return "says that it is stopping"
        case journal.ServiceIsEnded() | journal.ServiceUnhealthy():
            return event.why
        case journal.ServiceFailed():
            return "" if event.result in FATAL else event.words
        case journal.ServiceExited():
            return f"ended, {event.why}" + (f"; {event.hint}" if event.hint else "")
        case journal.ServiceStopped():
            return "stopped" if event.why is None else ""
        case journal.HookFailed():
            return event.why
        case _:
            return _of_roll(event) or _of_run(event) or _of_processes(event) or _of_ports(event)


def _of_roll(event: journal.Event) -> str:
    match event:
        case journal.RollBegins():
            return f"pid {event.pid} starts, pid {event.beside} still serves"
        case journal.RollHandsOn():
            leaves = f"pid {event.leaving} is asked to stop"
            return f"pid {event.pid} is ready and takes over{_place(event.port)}; {leaves}"
        case journal.RollFailed():
            return f"rolling restart given up: {event.why}; pid {event.pid} stays in service"
        case journal.LeftOver():
            return f"pid {event.pid}, which was replaced, is still alive after SIGKILL"
    return ""


def _of_run(event: journal.Event) -> str:
    match event:
        case journal.RunPlanned():
            return f"next run at {moment(event.at)}"
        case journal.RunBegins(late=float()):
            return f"runs now, {event.late:g} s after {moment(event.at)}"
        case journal.RunSkipped():
            return f"does not run at {moment(event.at)}, because the run before is not over"
        case journal.RunQueued():
            return f"runs once the run before is over, instead of at {moment(event.at)}"
        case journal.FilesChanged():
            more = f" and {event.count - 1} more" if event.count > 1 else ""
            return f"`{event.path}`{more} changed"
        case journal.WatchFailed():
            return f"cannot watch its files: {event.why}" + (f"; {event.hint}" if event.hint else "")
        case journal.WatchCommandFailed():
            return f"the command of `watch` failed: {event.why}"
        case journal.NamesServed():
            return naming.served(event.url)
        case journal.NamesFailed():
            return naming.failed(event.why, event.hint)
    return ""


def _of_processes(event: journal.Event) -> str:
    match event:
        case journal.HookLeft():
            return f"its {event.hook} left processes behind: portsup kills them ({_pids(event.pids)})"
        case journal.MainTold(why=str()):
            return f"goes on as pid {event.pid}, {event.why}"
        case journal.Abandoned():
            left = _pids(event.pids) if event.pids else "processes that portsup does not find"
            return f"started although {left} survived SIGKILL"
        case journal.OrphansReaped():
            return f"ended what an earlier run left behind ({_pids(event.pids)})"
    return ""


def _of_ports(event: journal.Event) -> str:
    match event:
        case journal.PortSkipped():
            return _skipped(event)
        case journal.PortsNotLeased():
            return f"{event.why}; portsup tries again every 10 s"
        case journal.WrongPort():
            hint = other_port_hint(event.variable)
            others = event.count - len(event.elsewhere)
            return f"listens on {some_of(event.elsewhere, others)} instead of {event.port}; {hint}"
        case journal.FilterRefused():
            return f"{event.why}; {event.hint}"
        case journal.BindRefused():
            return f"tried to bind port {event.port}, and portsup refused it (`bind: strict`)"
        case journal.BindNotSeen():
            return f"portsup may not look into its process ({event.why}); {HANDOFF_OFF}"
        case journal.FileNotRendered():
            return f"cannot render `{event.file}`: {event.why}"
        case journal.NoticeNotSent():
            return f"cannot notify {event.to}: {event.why}"
        case journal.GpuMemoryUnknown():
            return f"the budget does not limit graphics memory: {event.why}"
        case journal.OnChangeFailed():
            return f"on_change: {event.why}"
    return ""


def _skipped(event: journal.PortSkipped) -> str:
    """That a service got another port than its first, and who is on those before it."""
    causes = event.causes or {}
    told = ", ".join(f"{each}{_link(causes.get(each))}{why}" for each, why in event.skipped.items())
    return f"uses port {event.port} ({told})"


def _link(cause: Mapping[str, object] | None) -> str:
    is_held = cause is not None and cause["kind"] == "held" and is_participle(str(cause["how"]))
    return " is " if is_held else ": "


def bad_port(service: str, port: int, url: str) -> str:
    """That clients of the Fetch standard refuse a port, and where else they find the service; `url` may be empty."""
    clients = "browsers and other clients of the Fetch standard, such as fetch() in Node.js,"
    what = f"{service}: {clients} refuse port {port}"
    return f"{what}; for them it is at {url}" if url else f"{what}; put another port first in its pool for them"


def stack_is_up(stack: str, instance: int, took: float, failed: int, has_ended: bool) -> str:
    """The last line of a start; `failed` services are not there, `has_ended`: one of them by itself."""
    fate = "failed or ended" if has_ended else "failed"
    end = f"is up after {took:.1f} s" if not failed else f"is up, but {failed} of its services {fate}"
    return f"stack `{stack}` instance {instance} {end}"


def end_of_all(event: journal.EndOfAll) -> str:
    """That everything stops."""
    why = f" ({event.why})" if event.why else ""
    return f"stopping everything, because {event.service} has ended{why}"


def left_out(lines: int) -> bytes:
    """That a terminal is too slow for all that the services print."""
    return f"… {counted(lines, 'line is', 'lines are')} not shown, `portsup logs` shows all\n".encode()


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns, two blanks between them, indented by two."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(f"  {line}" for line in lines)


def _next_start(event: journal.ServiceRestarts) -> str:
    if event.takes_over is not None:
        return f"pid {event.takes_over}, which was to replace it, takes its place"
    return "portsup restarts it after a delay" if event.waits else "portsup restarts it"


def _place(port: int | None) -> str:
    return "" if port is None else f" on port {port}"


def _pids(pids: Collection[int]) -> str:
    return f"pid {', '.join(map(str, pids))}"
