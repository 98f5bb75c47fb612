"""What ended runs have left behind, and what became of it."""

from collections.abc import Iterable

from supervisor.errors import PortsupError
from supervisor.words.enumeration import counted

NOTHING = "ended runs have left nothing behind"
UNCHANGED = "nothing was changed"
UNSEEN = "cannot tell which processes are left"


def process(pid: int, name: str, service: str, stack: str) -> str:
    """A process of an ended run."""
    return f"process {pid} `{name}`{of(service, stack)}"


def of(service: str, stack: str) -> str:
    """To whom it belonged, as far as that is known: a process can have an environment that no longer tells."""
    known = {"service": service, "stack": stack}
    return next((f" of {what} `{name}`" for what, name in known.items() if name), "")


def file(path: str, what: str) -> str:
    """A file of an ended run."""
    return f"file {path}: {what}"


def number(instance: int, stack: str, directory: str) -> str:
    """A number that is kept for a directory that is gone."""
    return f"number {instance} of `{stack}`, of a deleted directory: {directory}"


def question(processes: int, files: int, numbers: int) -> str:
    """What is asked before it is removed."""
    also = f", and forget {counted(numbers, 'number')}" if numbers else ""
    return f"end {counted(processes, 'process', 'processes')} and remove {counted(files, 'file')}{also}? [y/N]"


def removed(processes: int, files: int, numbers: int | None) -> str:
    """What was removed; None where there was no number to forget."""
    also = "" if numbers is None else f", forgot {counted(numbers, 'number')}"
    return f"ended {counted(processes, 'process', 'processes')}, removed {counted(files, 'file')}{also}"


def cleaned(numbers: int) -> str:
    """That nothing is left now."""
    return f"{NOTHING}; {counted(numbers, 'number')} forgotten" if numbers else NOTHING


def still_there(kept: Iterable[str]) -> PortsupError:
    """Some of it could not be removed."""
    return PortsupError("cannot remove everything", "; ".join(kept), "`portsup doctor` shows what is still there")


def alive(pid: int) -> str:
    """Whom SIGKILL does not end."""
    return f"process {pid} is still alive after SIGKILL"


def file_kept(path: str) -> str:
    """A file that could not be removed."""
    return f"`{path}` is in use again or cannot be written"


def numbers_kept(path: str, why: object) -> PortsupError:
    """The file of the numbers could not be written."""
    return PortsupError("cannot forget the numbers of deleted directories", f"`{path}`: {why}")
