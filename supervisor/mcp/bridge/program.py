"""One program that speaks MCP on its standard input and output, and what is asked of it."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.abc
import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage

# Ends whatever the program has started and left behind: the shell leads their process group.
WITH_ALL_IT_STARTS = ("sh", "-c", 'trap : TERM; "$@"; kill -KILL 0', "sh")


def parameters(command: Sequence[str]) -> StdioServerParameters:
    """How the program is run: with our environment and in our folder; what it prints to stderr goes to ours."""
    shell, *words = (*WITH_ALL_IT_STARTS, *command)
    return StdioServerParameters(command=shell, args=words, env=dict(os.environ), encoding_error_handler="replace")


class Program:
    """A program that is asked for many clients; `gone` is set when it has ended."""

    def __init__(self, command: Sequence[str], version: str) -> None:
        self._parameters = parameters(command)
        self._info = types.Implementation(name="portsup", version=version)
        self.gone = anyio.Event()
        self.session: ClientSession
        self.greeting: types.InitializeResult

    async def run(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Runs it until it ends by itself, or this is cancelled; started once it has answered for the first time.

        Raises OSError where it cannot be run, MCPError where it does not answer as it should.
        """
        try:
            async with stdio_client(self._parameters, errlog=sys.stderr) as (theirs, ours):
                said, ear = anyio.create_memory_object_stream[SessionMessage | Exception](0)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._pass_on, theirs, said)
                    async with ClientSession(ear, ours, client_info=self._info) as session:
                        self.session, self.greeting = session, await session.initialize()
                        task_status.started()
                        await self.gone.wait()
                    tasks.cancel_scope.cancel()
        finally:
            self.gone.set()

    async def _pass_on(self, theirs: Any, said: Any) -> None:
        async with said:
            async for message in theirs:
                await said.send(message)
        self.gone.set()
