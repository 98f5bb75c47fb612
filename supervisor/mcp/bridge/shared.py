"""One program for all clients: each request is passed on, and the answer back, with the progress of its work.

What a program would ask of one client or tell another goes nowhere, because it does not say whom it means: sampling,
questions to the user, subscriptions and notices of changed lists need a program for each session.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server

from supervisor.mcp.bridge.program import Program

Context = Any  # a ServerRequestContext of the SDK
# What is passed on: the method, what a client sends with it, the request to the program, and its answer.
_PAGES = types.PaginatedRequestParams
_METHODS: dict[str, tuple[Any, Any, Any]] = {
    "tools/list": (_PAGES, types.ListToolsRequest, types.ListToolsResult),
    "tools/call": (types.CallToolRequestParams, types.CallToolRequest, types.CallToolResult),
    "resources/list": (_PAGES, types.ListResourcesRequest, types.ListResourcesResult),
    "resources/templates/list": (_PAGES, types.ListResourceTemplatesRequest, types.ListResourceTemplatesResult),
    "resources/read": (types.ReadResourceRequestParams, types.ReadResourceRequest, types.ReadResourceResult),
    "prompts/list": (_PAGES, types.ListPromptsRequest, types.ListPromptsResult),
    "prompts/get": (types.GetPromptRequestParams, types.GetPromptRequest, types.GetPromptResult),
    "completion/complete": (types.CompleteRequestParams, types.CompleteRequest, types.CompleteResult),
}
_NEEDS = {"tools": "tools", "resources": "resources", "prompts": "prompts", "completion": "completions"}


class Shared:
    """The server that clients see; `program` answers for it."""

    def __init__(self, command: Sequence[str], version: str) -> None:
        self.program = Program(command, version)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Server[Any]]:
        """The server, while its program runs."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(self.program.run)
            yield self._server()
            tasks.cancel_scope.cancel()

    def _server(self) -> Server[Any]:
        greeting = self.program.greeting
        about = greeting.server_info
        server: Server[Any] = Server(
            about.name, version=about.version, title=about.title, instructions=greeting.instructions
        )
        offered = greeting.capabilities.model_dump(exclude_none=True)
        for method, (params, request, answer) in _METHODS.items():
            if _NEEDS[method.partition("/")[0]] in offered:
                server.add_request_handler(method, params, self._passing_on(request, answer))
        return server

    def _passing_on(self, request: Any, answer: Any) -> Any:
        async def ask(context: Context, params: Any) -> Any:
            token = (context.meta or {}).get("progress_token")

            async def tell(progress: float, total: float | None, message: str | None) -> None:
                await context.session.report_progress(progress, total, message)

            given = params.model_copy(update={"meta": None}) if params is not None else None
            return await self.program.session.send_request(
                request(params=given), answer, progress_callback=tell if token is not None else None
            )

        return ask
