"""Who answers a request: a real Ollama wherever there is one, else the model that this service brings itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from examples.ollama_mcp.embedded import Embedded
from examples.ollama_mcp.real import REMEMBERED, Ollama
from examples.web import Checks, ServiceError


class Backends:
    """The two, and the choice between them, which is made anew for each request."""

    def __init__(self, real: Ollama, embedded: Embedded) -> None:
        self.real = real
        self.embedded = embedded

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For the application's lifespan."""
        first_look = asyncio.create_task(self.real.is_there())
        try:
            yield
        finally:
            first_look.cancel()
            await asyncio.gather(self.real.close(), self.embedded.close(), first_look, return_exceptions=True)

    async def choose(self) -> Ollama | Embedded:
        """Who answers just now; a ServiceError when nobody can."""
        if await self.real.is_there():
            return self.real
        if problem := self.embedded.problem:
            where = f"the Ollama at {self.real.place} {self.real.why}" if self.real.base else self.real.why
            why = f"no model to answer with: {where}; {problem.message}"
            raise ServiceError("no_backend", why, retry_after=REMEMBERED)
        return self.embedded

    async def choose_or_none(self) -> Ollama | Embedded | None:
        """The same for those who only want to know."""
        try:
            return await self.choose()
        except ServiceError:
            return None

    async def check_up(self) -> Checks:
        """For the health routes.

        A real Ollama that was set up and is not there is worth a word, even though the embedded model does its work.
        """
        values: dict[str, str] = {}
        found: ServiceError | None = None
        try:
            chosen = await self.choose()
        except ServiceError as problem:
            found = problem
        else:
            if chosen is self.real:
                return Checks({"ollama": "ok"})
        if self.real.is_expected:
            values["ollama"] = "upstream_unreachable"
        values["model"] = self.embedded.state
        return Checks(values, found)
