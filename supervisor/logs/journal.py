"""What portsup itself has to say: JSON lines in portsup.log.

structlog is used here only.  Importing it takes 30 ms and 2 MiB, so that happens when nobody waits any more, and when
there is news again after the start (`look`): until then events go through the same steps without it.
"""

import contextlib
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from functools import partial

from supervisor.annotations import Any
from supervisor.config.secret_names import HIDDEN, is_secret_name, redact
from supervisor.core.journal import Event, EventsLeftOut
from supervisor.logs.allowance import Allowances, rate_of
from supervisor.logs.journal_file import JournalFile
from supervisor.logs.redactor import Redactor

_Told = MutableMapping[str, Any]
_Step = Callable[[Any, str, _Told], Any]  # of what becomes of an event: a processor of structlog
_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode


class Journal:
    """Takes events: a fixed phrase each, with the facts as keywords.  Never raises because of where it writes.

    Of the facts `words` is a sentence that people get to see instead of the event, `hint` what they can do next.
    """

    def __init__(self, file: JournalFile, secrets: set[str], clock: Callable[[], float]) -> None:
        self._steps: list[_Step] = [self._stamp, self._number, _Redactor(secrets), self._show, _line]
        self._logger: Any = _Early(file, self._steps)
        self._told = 0
        self._told_before: int | None = None  # at the last look
        self._clock = clock
        self._allowances = Allowances()
        self._file = file
        self._secrets = secrets
        self.redactor = Redactor(secrets)  # the same for what the services print
        self.on_event: Callable[[Mapping[str, Any]], None] | None = None  # gets what is written, secrets hidden
        self.also: Callable[[Mapping[str, Any]], None] | None = None  # and then this one
        self.later: Callable[[Callable[[], None]], object] | None = None  # calls something in a moment
        self._put_off: deque[tuple[int, Callable[[], object]]] = deque()
        self._moment: int | None = None  # of what was put off and is told now, in nanoseconds since the epoch

    @property
    def path(self) -> str:
        """Where it is written."""
        return self._file.path

    @property
    def trouble(self) -> str:
        """Why that does not work at the moment; empty when it does."""
        return self._file.trouble

    def log(self, level: str, event: str, **facts: Any) -> bool:
        """An event of that level: info, warning or error; whether it was told.

        Of what is about a service each kind has an allowance; what goes beyond that is counted, see `count_left_out`.
        """
        self.catch_up()
        service = facts.get("service")
        is_limited = isinstance(service, str) and level != "error"
        if is_limited and not self._allowances.admit((str(service), event), rate_of(event), self._clock()):
            return False
        if "exc_info" in facts and not self.settle():  # structlog knows how to tell of exceptions
            facts["exception"] = repr(facts.pop("exc_info"))
        getattr(self._logger, level)(event, **facts)
        return True

    def tell(self, event: Event) -> bool:
        """Something of the catalogue has happened; whether it was told."""
        return self.log(event.level, event.event, **event.facts)

    def put_off(self, tell: Callable[[], object]) -> None:
        """Has `tell` called in a moment, as if it was now: before the next event, and before somebody is answered."""
        if self.later is None:
            tell()
            return
        if not self._put_off:
            self.later(self.catch_up)
        self._put_off.append((time.time_ns(), tell))

    def catch_up(self) -> None:
        """Has all told that was put off."""
        if self._moment is not None:  # one of these is what is told
            return
        try:
            while self._put_off:
                self._moment, tell = self._put_off.popleft()
                tell()
        finally:
            self._moment = None

    def put_off_no_more(self) -> None:
        """Has all told at once, now and from now on."""
        self.later = None
        self.catch_up()

    def count_left_out(self) -> None:
        """Tells how many events of which kind were too many since the last time; to be said every few seconds."""
        self.catch_up()
        for (service, event), count in self._allowances.left_out():
            self._logger.warning(EventsLeftOut.event, service=service, of=event, count=count)

    def learn(self, secrets: Collection[str]) -> None:
        """Hide these as well from now on."""
        self._secrets.update(secrets)
        self.redactor.learn(secrets)

    def redact(self, words: str) -> str:
        """`words` without the secrets of the stack."""
        return redact(words, self._secrets)

    def settle(self) -> bool:
        """Have structlog write from now on; whether it can be imported, for which descriptors and memory are needed."""
        try:
            self._logger = _structured(self._file, self._steps)
        except Exception:
            return False
        return True

    def look(self) -> None:
        """Have structlog write from now on if there was news since the look before, for as long as it does not."""
        if self._told_before is None:
            self._told_before = self._told
        elif self._told_before != self._told and isinstance(self._logger, _Early):
            self.settle()

    def close(self) -> None:
        """Give the file back; a later event opens it again."""
        self._file.close()

    def _stamp(self, logger: Any, method: str, event: _Told) -> _Told:
        event["time"] = _written(time.time_ns() if self._moment is None else self._moment)
        return event

    def _number(self, logger: Any, method: str, event: _Told) -> _Told:
        self._told += 1
        event["seq"] = self._told
        return event

    def _show(self, logger: Any, method: str, event: _Told) -> _Told:
        for hear in (self.on_event, self.also):
            if hear is not None:
                hear(event)
        return event


def open_journal(
    path: str | os.PathLike[str], *, secrets: Collection[str] = (), clock: Callable[[], float] = time.monotonic
) -> Journal:
    """The journal at `path`, which shows none of the secrets."""
    return Journal(JournalFile(os.fspath(path)), set(secrets), clock)


class _Early:
    """Writes events as structlog does, before that is imported."""

    def __init__(self, file: JournalFile, steps: Sequence[_Step]) -> None:
        self._file, self._steps = file, steps

    def __getattr__(self, level: str) -> Callable[..., None]:
        return partial(self._write, level)

    def _write(self, level: str, event: str, **facts: Any) -> None:
        told: Any = {"level": level, "event": event, **facts}
        for step in self._steps:
            told = step(None, level, told)
        self._file.write(told)


def _structured(file: JournalFile, steps: Sequence[_Step]) -> Any:
    with _not_installed("rich", "colorama", "better_exceptions", "greenlet"):
        import structlog

    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        *steps,
    ]
    return structlog.wrap_logger(file, processors, structlog.BoundLogger).bind()


def _written(moment: int) -> str:
    """Nanoseconds since the epoch as people write a time, such as 2026-03-01T09:30:00.250000Z."""
    seconds, rest = divmod(moment, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest // 1000:06d}Z"


def _line(logger: Any, method: str, event: _Told) -> str:
    return _encode(event)


@contextlib.contextmanager
def _not_installed(*modules: str) -> Iterator[None]:
    """Have imports do without these modules: structlog takes what it finds for its console, which we do not use.

    So the daemon's memory does not depend on what else is installed.
    """
    hidden = [name for name in modules if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # makes `import name` raise
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


class _Redactor:
    """Hides secrets in the values of an event, however deep they are, and puts first what every event has."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = secrets

    def __call__(self, logger: Any, method: str, event: _Told) -> _Told:
        first = {key: event.pop(key) for key in ("time", "seq", "level", "event")}
        return {
            key: HIDDEN if is_secret_name(key) else self._hidden(value) for key, value in {**first, **event}.items()
        }

    def _hidden(self, value: Any) -> Any:
        match value:
            case str():  # nearly all are, and to ask whether it is a Mapping costs more than the rest
                return redact(value, self._secrets)
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {  # a mapping by service may have one that is called `auth`
                    str(key): HIDDEN if isinstance(inner, str) and is_secret_name(str(key)) else self._hidden(inner)
                    for key, inner in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self._hidden(inner) for inner in value]
            case _:
                return redact(str(value), self._secrets)
