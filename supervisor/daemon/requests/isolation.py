"""Requests whose answer meets an internal error of portsup: the client gets that as the answer, and nobody else harm.

What such a request has told services by then they do, each for itself.
"""

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


class Isolation:
    """What becomes of a request that cannot be answered."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def failed(self, request: Request, error: Exception) -> PortsupError:
        """The answer instead; the journal has it if it is ours.  Raises `error` again where everything is to end."""
        if isinstance(request, requests.Down):
            raise error
        return unanswered(request.do, error, self._journal, changes=not isinstance(request, LOOKS))

    async def follow(self, request: Request, work: Coroutine[Any, Any, None], reply: Reply | None) -> None:
        """Does the rest of a request; without `reply` nobody waits for the answer."""
        try:
            await work
        except Exception as error:
            failed = self.failed(request, error)
            if reply is not None and not reply.is_over:
                reply.fail(failed)
