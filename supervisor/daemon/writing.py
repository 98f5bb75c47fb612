"""Whether logs, the journal and the endpoints file are written; what is not is said, once."""

import time
from collections.abc import Callable, Mapping

from supervisor.core.journal import EndpointsNotWritten, LogNotWritten, WrittenAgain
from supervisor.daemon.service.slot import Slot
from supervisor.files.opening import Refused, explained
from supervisor.logs.journal import Journal
from supervisor.ports.record import write_json
from supervisor.words.files import LOG_GOES_ON, not_written, tried_again


class Writing:
    """Says what cannot be written, and when that can be again."""

    def __init__(self, journal: Journal, slots: Mapping[str, Slot], say: Callable[[str, str], None]) -> None:
        self._journal = journal
        self._slots = slots
        self._say = say
        self._told: dict[str, str] = {}  # why, by path
        self._lacks_endpoints = False

    def look(self) -> bool:
        """Looks at the journal and at the log of each service; asked now and then, as a full disk is no event.

        Whether the endpoints file is still to be written.
        """
        now = time.time()
        self._log(self._journal.path, self._journal.trouble)
        for slot in tuple(self._slots.values()):
            slot.log.check(now)
            self._log(slot.log.path, slot.log.trouble)
        return self._lacks_endpoints

    def endpoints(self, path: str, content: object) -> None:
        """Replaces the endpoints file; where that cannot be the old one stays whole."""
        trouble = hint = ""
        try:
            write_json(path, content)
        except OSError as error:
            trouble = explained(error)
            hint = tried_again(is_in_the_way=isinstance(error, Refused))
        self._lacks_endpoints = bool(trouble)
        if self._is_news(path, trouble, hint):
            self._journal.tell(EndpointsNotWritten(path=path, why=trouble, hint=hint))

    def _log(self, path: str, trouble: str) -> None:
        if self._is_news(path, trouble, LOG_GOES_ON):
            self._journal.tell(LogNotWritten(path=path, why=trouble, hint=LOG_GOES_ON))

    def _is_news(self, path: str, trouble: str, hint: str) -> bool:
        """Whether there is trouble that was not there before; says it, and when it is over."""
        if self._told.get(path, "") == trouble:
            return False
        self._told[path] = trouble
        if trouble:
            self._say(not_written(path, trouble, hint), "warning")
        else:
            self._journal.tell(WrittenAgain(path=path))
        return bool(trouble)
