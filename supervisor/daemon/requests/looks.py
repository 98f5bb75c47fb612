"""Requests that change nothing: an internal error of portsup in the answer to one of them ends no service."""

from collections.abc import Coroutine
from typing import Any

from supervisor.control import requests
from supervisor.control.reply import Reply
from supervisor.control.requests import Request
from supervisor.core.journal import Mistake
from supervisor.daemon.faults import place_of
from supervisor.errors import PortsupError, refusal
from supervisor.logs.journal import Journal
from supervisor.words import refusals

LOOKS = (
    requests.Ping | requests.Status | requests.Resources | requests.Watch | requests.Subscribe | requests.Trend
    | requests.History | requests.Events | requests.Logs | requests.Endpoints | requests.Env
)  # fmt: skip


class Looks:
    """What becomes of such a request that cannot be answered."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def failed(self, request: Request, error: Exception) -> PortsupError:
        """The answer instead; the journal has it if it is ours.  Raises `error` again for any other request."""
        if not isinstance(request, LOOKS):
            raise error
        lack = refusal(error, refusals.no_answer_to(request.do))
        if lack is None:
            self._journal.tell(Mistake(error=repr(error), where=place_of(error)))
        return lack or refusals.internal_error(request.do, self._journal.redact(f"{type(error).__name__}: {error}"))

    async def follow(self, request: Request, work: Coroutine[Any, Any, None], reply: Reply) -> None:
        """Does the rest of such a request."""
        try:
            await work
        except Exception as error:
            if reply.is_over:
                raise
            reply.fail(self.failed(request, error))
