"""What the daemon answers to an order, such as `start`: the lines of a stream, the last one with how it went."""

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody whom an order waits for.

    name: the service; null for how many more there are
    words: why it is waited for
    since_s: for how long that has been
    left_s: how long still, at most
    """

    name: str | None
    words: str
    since_s: float | None
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went for one service.

    name: its name
    ok: whether the request succeeded for it
    words: how it is now
    """

    name: str
    ok: bool
    words: str

    @property
    def service(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True)
class Changed:
    """A service that is different in services.yaml now.

    name: its name
    keys: what is different
    restarts: whether it has to be restarted for that
    """

    name: str
    keys: tuple[str, ...]
    restarts: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reload has found.

    added: services that are new
    removed: services that are gone
    changed: services that are different
    top: other keys of the file than `services` that are different, and `files` if the list of files is
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]
    top: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """A line of the answer to an order.

    progress: a step, in words for people
    waiting: whom it waits for, every second while it takes that long
    difference: what a `reload` has found, in its first line
    results: how it went for each service, in the last line
    end: true in the last line
    """

    progress: str | None = None
    waiting: tuple[Late, ...] | None = None
    difference: Changes | None = None
    results: tuple[Outcome, ...] | None = None
    end: bool | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it could not be done: `error` of a line whose `ok` is false.

    what: what could not be done
    why: why not
    hint: what to do about it
    exit_code: what the command line would return
    problems: mistakes in services.yaml, each as file, line, column, words and hint
    """

    what: str
    why: str = ""
    hint: str = ""
    exit_code: int = 1
    problems: tuple[tuple[str | int, ...], ...] | None = None
