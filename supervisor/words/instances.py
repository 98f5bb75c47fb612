"""Which instance of a stack is meant, which can run, and how its daemon has ended."""

from collections.abc import Iterable

from supervisor.errors import REFUSALS, InstanceTaken, NotFound, PortsupError
from supervisor.words.enumeration import counted

RUNNING = "`portsup ls` lists what is running"
ANOTHER = "name another one with `--instance N` or `-f FILE`: `portsup ls` lists them"
NOT_SEEN = "cannot see which instances run"
HUNG = "`portsup up` starts it again; PORTSUP_HANG_TIMEOUT changes how long it may be silent"
NO_SOCKET = "PORTSUP_SOCKET is not set"


def of(stack: str, number: int) -> str:
    """An instance, by name and number."""
    return f"`{stack}` instance {number}"


def words_of(stack: str, number: int, whose: str, directory: str) -> str:
    """What is said of an instance where several are meant."""
    return f"{of(stack, number)} ({whose}) from {directory}"


def not_found(why: str, hint: str = RUNNING) -> NotFound:
    """None of those that run is meant."""
    return NotFound("cannot find a running instance", why, hint)


def none_runs() -> NotFound:
    """No instance runs at all."""
    return not_found("none is running", "`portsup up` starts the services of services.yaml")


def none_here() -> tuple[str, str, str]:
    """That nothing runs from this directory: what, why and what to do."""
    return "cannot find a running instance", "none runs from this directory", "start it: `portsup up -d`"


def none_runs_from(file: str, number: int | None) -> str:
    """No instance belongs to a file, or none with this number."""
    return f"none runs from `{file}`" + (f" as instance {number}" if number is not None else "")


def none_started_from(file: str) -> str:
    """The file of this directory runs nowhere, but another one does."""
    return f"none was started from `{file}`"


def no_number(number: int | None, *, of_this_stack: bool = False) -> str:
    """No instance has this number."""
    return f"none of this stack has number {number}" if of_this_stack else f"none has number {number}"


def laid_over(file: str) -> str:
    """What to do where a file is only merged over the first file of an instance."""
    return f"it is laid over `{file}` there: name that one first, an instance belongs to the first of its files"


def several(told: Iterable[str], example: str) -> tuple[str, str, str]:
    """That more than one is meant: what, why and what to do; `told` are those that could be."""
    lines = [f"  {each}" for each in told]
    why = f"{len(lines)} are running\n\n" + "\n".join(lines)
    return "cannot tell which instance is meant", why, f"say which one, as in `{example}`"


def several_fit(told: Iterable[str]) -> NotFound:
    """A program asks for one, and none or several fit."""
    names = list(told)
    why = f"{len(names)} are running: {', '.join(names)}" if names else "none that fits is running"
    return not_found(why, "`portsup ls` lists them")


def no_socket() -> NotFound:
    """A program that is no service asks for the stack that it is a service of."""
    return not_found(NO_SOCKET, "give the path of its control socket, or use `Stack.find`")


def _not_run(stack: str, number: int, why: str, hint: str = "") -> InstanceTaken:
    return InstanceTaken(f"cannot run instance {number} of stack `{stack}`", why, hint)


def below_one(stack: str, number: int) -> InstanceTaken:
    """There is no such number."""
    return _not_run(stack, number, "instances are counted from 1")


def no_room(stack: str, number: int, why: str) -> InstanceTaken:
    """The ports of one instance would be those of another."""
    hint = "`portsup ls` lists what runs: end one, or give `instances: {stride: N}` more room"
    return _not_run(stack, number, why, hint)


def number_taken(stack: str, number: int, directory: str | None, whose: str) -> InstanceTaken:
    """Another instance has the number; the directory is None as long as that one is starting."""
    why = "it is being started right now" if directory is None else f"it runs already, from `{directory}` ({whose})"
    return _not_run(stack, number, why, "without `--instance` the lowest free number is taken")


def process(pid: int) -> str:
    """Who holds the number now."""
    return f"pid {pid}"


def not_locked(number: int, stack: str) -> str:
    """What cannot be done where the lock of a number cannot be opened."""
    return f"cannot take instance {number} of stack `{stack}`"


def not_started(program: str, why: object) -> PortsupError:
    """Python itself cannot be started for `portsup up`."""
    return PortsupError("cannot start the stack", f"`{program}`: {why}")


def no_process(why: str, *, too_many: bool) -> PortsupError:
    """The system allows no daemon."""
    hint = "end some processes, or raise the limit with `ulimit -u`" if too_many else ""
    return PortsupError("cannot start another process", why, hint)


NOT_STARTED = "cannot start the daemon"


def hung(daemon: int, patience: float) -> str:
    """That the daemon was killed because it did nothing for so many seconds."""
    silent = f"the portsup daemon (pid {daemon}) did nothing for {patience:g} s"
    return f"{silent}: its guardian killed it, with all that it ran"


def ended_by(daemon: int, signal: int, left: int) -> str:
    """That a signal ended the daemon, and how many processes of it were still there."""
    rest = f" with {counted(left, 'process', 'processes')} that it had started" if left else ""
    return f"the portsup daemon (pid {daemon}) was ended by signal {signal}{rest}"


def no_scratch(number: int, why: object) -> PortsupError:
    """Why a stack cannot be started without a temporary file; `number` is that of the error."""
    hint = REFUSALS.get(number, "set TMPDIR to a directory you can write to")
    return PortsupError("cannot start the stack", f"no temporary file: {why}", hint)
