"""Why an order about services cannot be carried out, as the error for the one who gave it."""

from collections.abc import Collection

from supervisor.config.suggest import likely
from supervisor.core.instance import Overlap
from supervisor.core.service import Service, is_rolling
from supervisor.core.state import State
from supervisor.errors import InternalError, NotFound, PortsupError, UsageError, refusal
from supervisor.words.enumeration import first_of
from supervisor.words.overlaps import overlap

_INSTALL_AGAIN = "send SIGTERM to the daemon, install portsup again, and start it"


def not_answered(error: BaseException) -> PortsupError:
    """What answers requests could not be loaded."""
    what = "cannot answer"
    return refusal(error, what) or PortsupError(what, str(error), _INSTALL_AGAIN)


def lack(do: str, error: BaseException) -> PortsupError | None:
    """The system has kept a request from being answered, or what that takes could not be loaded; None if neither."""
    what = no_answer_to(do)
    if (refused := refusal(error, what)) is not None:
        return refused
    if isinstance(error, ImportError):
        return PortsupError(what, str(error), _INSTALL_AGAIN)
    return None if error.__cause__ is None else refusal(error.__cause__, what)


def no_answer_to(do: str) -> str:
    """What could not be done for a client."""
    return f"cannot answer `{do}`"


def internal_error(do: str, error: str, *, changes: bool = False) -> InternalError:
    """A client gets no answer, and that is our fault; `changes`: some of what it has asked for may be done."""
    why = f"internal error of portsup: {error}"
    hint = "the services go on; please send the developers what `portsup events -n all` has of it"
    if changes:
        hint = f"`portsup status` shows what was done, and `portsup {do}` does the rest; {hint}"
    return InternalError(f"cannot finish `{do}`" if changes else no_answer_to(do), why, hint)


def unknown_service(name: str, stack: str, known: Collection[str]) -> NotFound:
    """A stack has no service of that name."""
    close = likely(name, known)
    hint = f"did you mean `{close}`?" if close else f"services: {first_of(known)}"
    return NotFound(f"cannot find service `{name}`", f"stack `{stack}` has none of that name", hint)


def not_in_file(name: str, file: str, known: Collection[str]) -> NotFound:
    """The file that is to be started has no such service."""
    return NotFound(f"cannot start `{name}`", f"{file} has no such service", f"services: {first_of(known)}")


def not_started(name: str) -> UsageError:
    """The exit code is wanted of a service that does not run."""
    what = f"cannot return the exit code of `{name}`"
    why = "it is not among the services that are started"
    return UsageError(what, why, "name it as well, or start what it is part of")


def needs_handoff(name: str, *, on_connect: bool) -> UsageError:
    """A service waits for clients, the first or the next, and the handoff is switched off."""
    return UsageError(
        f"cannot start `{name}` on a connection" if on_connect else f"cannot use `idle_stop` of `{name}`",
        "with `--handoff off` nobody listens on its port before its program does",
        f"leave `--handoff off` out, or give `{name}` the socket itself: `handoff: systemd`",
    )


def no_budget() -> UsageError:
    """Services are to make room for others, and the handoff is switched off."""
    return UsageError(
        "cannot keep to the `budget`",
        "with `--handoff off` no service can be stopped until its next client comes",
        "leave `--handoff off` out, or take `budget` out of services.yaml",
    )


def replicas_need_handoff(name: str) -> UsageError:
    """A service has several processes on one port, and the handoff is switched off."""
    return UsageError(
        f"cannot start several replicas of `{name}`",
        "they share a socket that portsup keeps, and with `--handoff off` there is none",
        f"leave `--handoff off` out, or give `{name}` the socket itself: `handoff: systemd`",
    )


def no_such_number(name: str, count: object, most: int) -> UsageError:
    """That is no number of processes."""
    return UsageError(f"cannot scale `{name}`", f"{count} is not a number from 1 to {most}")


def not_scaled_with(name: str, key: str) -> UsageError:
    """There can be one process only."""
    why = {
        "one_shot": "a `one_shot` runs once",
        "stdio": "the sessions of a program with `stdio` are in one process",
        "pid_file": "each of its replicas would overwrite its `pid_file`",
    }[key]
    return UsageError(f"cannot scale `{name}`", why)


def not_scaled_without_socket(name: str) -> UsageError:
    """There is no socket that several processes could have."""
    return UsageError(
        f"cannot scale `{name}`",
        "its replicas share a socket that portsup keeps, and with the handoff off there is none",
        "leave `handoff: off` and `--handoff off` out, or use `handoff: systemd`",
    )


def name_is_taken(name: str, other: str) -> UsageError:
    """A replica would have the name of another service."""
    return UsageError(f"cannot scale `{name}`", f"`{other}` is another service", "rename it in services.yaml")


def not_scaled_now(is_stopping: bool) -> PortsupError:
    """Something else is under way."""
    if is_stopping:
        return PortsupError("cannot scale", "everything is being stopped")
    return PortsupError("cannot scale", "a reload or another `scale` is under way", "try again when it is over")


def nowhere_to_rotate(name: str, has_pool: bool) -> UsageError:
    """A service has no other port."""
    why = "its pool has no other port" if has_pool else "it has no `pool`"
    return UsageError(f"cannot rotate `{name}`", why, "give it a larger `pool`" if has_pool else "give it one")


def not_rotated(name: str, state: State) -> PortsupError:
    """A service that does not run has no port to leave."""
    return PortsupError(f"cannot rotate `{name}`", f"it is {state}, not running", f"`portsup start {name}`")


def no_such_signal(number: int) -> UsageError:
    """The system has no signal of that number."""
    return UsageError(f"cannot send signal {number}", "there is no such signal")


def _not_rolled(name: str, why: str, hint: str) -> PortsupError:
    return PortsupError(f"cannot restart `{name}` rolling", why, hint)


def not_rolled_at_rest(svc: Service) -> PortsupError:
    """A service that does not run has no process to replace."""
    return _not_rolled(svc.name, f"it is {svc.state}, not running", f"`portsup start {svc.name}`")


def not_rolled_twice(svc: Service) -> PortsupError:
    """A service has a second process already."""
    why = "a rolling restart is under way"
    if svc.beside is not None and not is_rolling(svc):
        why = f"pid {svc.beside.pid}, which the last one replaced, is still alive after SIGKILL"
    return _not_rolled(svc.name, why, f"`portsup status {svc.name}` shows both of its processes")


def not_rolled_without_socket(name: str, why_no_handoff: str, is_off: bool) -> PortsupError:
    """portsup does not have the socket of a service: why there can be no handoff, if that is so."""
    why, then = "it has not bound its port", f"`portsup why {name}` shows what it did"
    if why_no_handoff:
        why, then = why_no_handoff, "`portsup doctor` says what the handoff needs here"
    elif is_off:
        why, then = "the handoff is off", "leave out `handoff: off` and `--handoff off`"
    why = f"two processes can share its port only where portsup keeps the socket, and {why}"
    return _not_rolled(name, why, f"`portsup restart {name}`; to restart it without a gap: {then}")


def stopping(verb: str) -> PortsupError:
    """The instance ends: nothing is started any more."""
    return PortsupError(f"cannot {verb} anything", "the instance is stopping", "`portsup up` once it has ended")


def being_removed(verb: str, names: Collection[str], leaving: str) -> PortsupError:
    """A reload is removing one of the services."""
    what = f"cannot {verb} {', '.join(f'`{each}`' for each in names)}"
    return PortsupError(what, f"`{leaving}` is no longer in services.yaml, and a reload is removing it")


def other_first_file(file: str, other: str) -> PortsupError:
    """A reload names another first file than that of the instance."""
    hint = "name that one first; `portsup down` and `portsup up` start from another one"
    why = f"an instance belongs to its first file, and `{other}` is another one"
    return PortsupError(f"cannot reload `{file}`", why, hint)


def other_name(file: str, before: str, now: str) -> PortsupError:
    """The name of the stack has changed."""
    hint = "`portsup down` and `portsup up`: locks, logs and numbers belong to the name"
    return PortsupError(f"cannot reload `{file}`", f"the stack was `{before}` and is `{now}` now", hint)


def overlapping(file: str, why: Overlap, instance: int) -> PortsupError:
    """The pools would overlap."""
    return PortsupError(f"cannot reload `{file}`", overlap(why), f"this is instance {instance}")


def no_reload(is_stopping: bool) -> PortsupError:
    """A reload has to wait."""
    return PortsupError("cannot reload", "it is stopping" if is_stopping else "another reload is under way")


def not_read_again(file: str, why: str = "") -> PortsupError:
    """The file cannot be read; where that took too long, `why` is empty."""
    hint = "`portsup config check` shows more" if why else "`portsup config check`"
    why = why or "that took too long, or no process could be started for it"
    return PortsupError(f"cannot read `{file}` again", why, hint)


def replaced(file: str) -> PortsupError:
    """Another portsup is installed by now than the one that runs."""
    why = "somebody has replaced the files of portsup since this instance started"
    return PortsupError(f"cannot read `{file}` again", why, "`portsup down`, then `portsup up -d`")


def usage_unknown() -> PortsupError:
    """It took too long to find what the services use."""
    return PortsupError("cannot tell what the services use", "looking at their processes took too long")


def history_unknown() -> PortsupError:
    """It took too long to read what became of a port."""
    return PortsupError("cannot show the history of the port", "reading the journal took too long")


def socket_not_made(name: str, why: str = "", host: str = "", port: int = 0) -> PortsupError:
    """The socket of a service cannot be made: its port is not held, or the system refuses that at `host`."""
    what = f"cannot make the socket of `{name}`"
    if not why:
        return PortsupError(what, "its port is not held")
    return PortsupError(what, f"HOST is `{host}`, port {port}: {why}",
                        "set HOST in its `environment` to an address of this machine")  # fmt: skip


def no_port_held() -> PortsupError:
    """The port on which portsup is to listen for a service is not held."""
    return PortsupError("cannot make its socket", "its port is not held")


def no_second_process(why_no_handoff: str) -> PortsupError:
    """A second process needs the socket of the first."""
    return PortsupError("cannot start a second process", f"no sockets are handed over: {why_no_handoff}")


def no_replicas(why_no_handoff: str) -> PortsupError:
    """Several processes on one port need a socket that portsup keeps."""
    return PortsupError("cannot start one of several replicas", f"no sockets are handed over: {why_no_handoff}")


def not_leased(name: str) -> str:
    """What could not be done, where the system had none left of what a lease takes."""
    return f"cannot lease a port for `{name}`"


def no_notify_socket(name: str) -> str:
    """What could not be done, where the system refuses the socket."""
    return f"cannot make the notify socket of `{name}`"
