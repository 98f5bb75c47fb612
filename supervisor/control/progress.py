"""What the daemon answers to an order, such as `start`: the lines of a stream, the last one with how it went."""

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Late:
    """A service for which a request waits.

    name: the service; null in the entry that says how many more there are
    words: why the request waits for it
    since_s: how long it has waited
    left_s: how long it still waits at most
    """

    name: str | None
    words: str
    since_s: float | None
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one service.

    name: its name
    ok: whether the request succeeded for it
    words: what the result is
    internal_error: portsup itself failed in it; `portsup` ends with exit code 70
    """

    name: str
    ok: bool
    words: str
    internal_error: bool = False

    @property
    def service(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True)
class Changed:
    """A service that has changed in services.yaml.

    name: its name
    keys: the changed keys
    restarts: whether it must restart for that
    """

    name: str
    keys: tuple[str, ...]
    restarts: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reload found.

    added: new services
    removed: removed services
    changed: changed services
    top: changed keys of the file other than `services`, and `files` if the list of files has changed
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]
    top: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """A line of the answer to a request that changes something.

    progress: a step, in words for people
    waiting: the services for which the request waits, once a second
    difference: what a `reload` found, in its first line
    results: the result for each service, in the last line
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
