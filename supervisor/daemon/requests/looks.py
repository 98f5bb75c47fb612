"""Requests that change nothing: an internal error of portsup in the answer to one of them ends no service."""

from collections.abc import Coroutine
from typing import Any

from supervisor.control import requests
from supervisor.control.reply import Reply
from supervisor.control.requests import Request
from supervisor.daemon.faults import unanswered
from supervisor.errors import PortsupError
from supervisor.logs.journal import Journal

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
        return unanswered(request.do, error, self._journal)

    async def follow(self, request: Request, work: Coroutine[Any, Any, None], reply: Reply) -> None:
        """Does the rest of such a request."""
        try:
            await work
        except Exception as error:
            if reply.is_over:
                raise
            reply.fail(self.failed(request, error))
