"""What a system answers that has fork and unix sockets: it is never called, but where there are jobs instead."""

from collections.abc import Callable, Mapping, Sequence

TYPE_CHECKING = False  # what costs the quick commands milliseconds
if TYPE_CHECKING:
    from typing import Any

HAS_JOBS = False  # the processes of a service are found by session, marks and environment, `process.tree`


def job_members(main: int) -> set[int]:
    """The living processes of the job that was made for this child."""
    raise NotImplementedError


def end_job(main: int) -> set[int]:
    """End all processes of the job of this child at once; who they were."""
    raise NotImplementedError


def guard_ourselves() -> None:
    """From now on all that we start ends with us, however we end."""
    raise NotImplementedError


def start_in_job(
    path: str, argv: Sequence[str], environment: Mapping[str, str], directory: str, streams: tuple[int | None, int, int]
) -> int:
    """The pid of a new process in a job and a process group of its own; raises OSError."""
    raise NotImplementedError


def start_in_background(argv: Sequence[str], variables: Mapping[str, str]) -> "Any":
    """A process with a console that nobody sees, outside of our jobs if those let it out; raises OSError."""
    raise NotImplementedError


def on_signal(loop: "Any", number: int, tell: Callable[[], object]) -> None:
    """Has `tell` called in the loop whenever this signal comes."""
    raise NotImplementedError


def answer_of(question: "Callable[[], Any]") -> tuple[int, int]:
    """0, and a pipe with what `question` gives, in JSON; raises OSError."""
    raise NotImplementedError


def open_writer(fd: int, most: int, left_out: Callable[[int], bytes]) -> "Any":
    """Writes to a stream that may be slow, without waiting; `most` bytes wait, the rest is left out, and said."""
    raise NotImplementedError


def connect_control(path: str, patience: float) -> "Any":
    """A client's end of the control socket at `path`, with the methods of a socket; raises OSError."""
    raise NotImplementedError
