"""A stack that is followed through its deaths: what is known of it now, and when and why that is no longer so."""

import contextlib
import threading
import time
from collections.abc import Callable

from supervisor.api.history import journal_of
from supervisor.api.lacking import in_words
from supervisor.api.picture import Picture
from supervisor.api.values import StackStatus, Update
from supervisor.control.client import Client, DaemonGone
from supervisor.core import journal
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError
from supervisor.logs.history import read_events
from supervisor.logs.state_dir import instance_directory
from supervisor.ports.instances import InstanceInfo
from supervisor.words import answers

LOOK_AGAIN = 0.3  # seconds, while nothing runs
_QUIET = 1.0  # seconds without news until we look whether somebody still wants any
_ASK_AFTER = 5  # quiet turns until the daemon is asked whether it still answers
_PATIENCE = 2.0  # seconds that it may take for that


@dataclass(frozen=True, slots=True)
class Ended:
    """Nobody tells of the stack any more.

    at: since when, in seconds since 1970
    why: in words
    """

    at: float
    why: str


class Following:
    """Keeps a picture of one instance, and calls `tell` after each change; `run` is for a thread of its own.

    `tell` gets the update, or None when the instance has ended, or cannot be asked: `ended` says since when and why,
    and the picture stays the last one there was.  It is None again as soon as a next run tells of itself.
    """

    def __init__(
        self, find: Callable[[], InstanceInfo | None], tell: Callable[[Update | None], None], *,
        name: Callable[[], tuple[str, int]] | None = None, events: bool = False, usage: bool = False,
    ) -> None:  # fmt: skip
        """`find` gives the instance that is meant; None while it does not run.  `name` gives its name and number."""
        self.picture = Picture()
        self.ended: Ended | None = Ended(time.time(), answers.NOT_SEEN)
        self.status: StackStatus | None = None  # of the last full line, for the name and the number
        self._find, self._name = find, name
        self._tell = tell
        self._asked = {"events": events, "usage": usage}
        self._is_closed = threading.Event()
        self._is_over_told = False

    def close(self) -> None:
        """`run` returns within a second."""
        self._is_closed.set()

    def run(self) -> None:
        """Follows until `close`; what goes wrong is told as the end of the stack, and tried again."""
        while not self._is_closed.is_set():
            try:
                self._look()
            except Exception as error:  # no descriptor is left, or a mistake of ours: a silent end would look like life
                why = in_words(error).why if isinstance(error, OSError) else repr(error)
                with contextlib.suppress(Exception):
                    self._is_over(answers.cannot_follow(why))
            self._is_closed.wait(LOOK_AGAIN)

    def _look(self) -> None:
        """Follows the instance that there is to its end."""
        info = None
        try:
            info = self._find()
            if info is None:
                self._is_over(self._before_us())
            else:
                self._follow(info)
                self._is_over(why_ended(info.stack, info.instance))
        except DaemonGone:
            self._is_over(answers.NOT_RUNNING if info is None else why_ended(info.stack, info.instance))
        except PortsupError as error:
            self._is_over(error.why or error.what)

    def _before_us(self) -> str:
        """How a run ended that we have not seen, too: whoever looks now wants to know."""
        if self._is_over_told or self._name is None:
            return answers.NOT_RUNNING
        try:
            return answers.last_run(why_ended(*self._name()))
        except PortsupError:  # nobody knows its name: services.yaml is wrong
            return answers.NOT_RUNNING

    def _follow(self, info: InstanceInfo) -> None:
        client = Client(info.socket)
        quiet = 0
        for update in client.subscribe(_QUIET, run=self.picture.run, after=self.picture.seq, **self._asked):
            if self._is_closed.is_set():
                return
            quiet = quiet + 1 if update is None else 0
            if update is None:
                if quiet >= _ASK_AFTER:
                    quiet = 0
                    Client(info.socket, _PATIENCE).ping()  # a process that is stopped would be silent forever
                continue
            self.picture.apply(update)
            self.status = update.status or self.status
            self.ended, self._is_over_told = None, False
            self._tell(update)

    def _is_over(self, why: str) -> None:
        """Once for each end."""
        if self._is_over_told or self._is_closed.is_set():
            return
        self._is_over_told = True
        self.ended = Ended(time.time(), why)
        self._tell(None)


def why_ended(stack: str, instance: int) -> str:
    """What the journal says last of an instance that is gone; that there was none if it says nothing."""
    words, last = "", None
    for told in read_events(journal_of(instance_directory(stack, instance))):
        last = told["event"]
        match last:
            case journal.InstanceStarts.event:
                words = ""
            case journal.Fatal.event:
                words = answers.fatal(told.get("what"), told.get("why"))
            case journal.EndOfAll.event:
                words = answers.ended_with(told.get("service"), told.get("why"))
            case journal.DaemonHung.event:
                words = answers.HUNG
            case journal.InstanceEnded.event:
                words = words or answers.STOPPED
    return words or (answers.NOT_RUNNING if last is None else answers.SILENT_END)
