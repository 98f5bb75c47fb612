"""The server itself: what clients ask in the protocol becomes calls of the toolbox, carried out in threads."""

import contextlib
import functools
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.session import ServerSession
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from supervisor.api.unwinding import cut_short
from supervisor.errors import PortsupError
from supervisor.mcp.changes import Changes
from supervisor.mcp.prompts import PROMPTS, filled
from supervisor.mcp.resources import content_of, listed
from supervisor.mcp.results import Refused, Result, made, sendable
from supervisor.mcp.schema import INSTRUCTIONS, OUTPUT
from supervisor.mcp.toolbox import Toolbox

T = TypeVar("T")
MOST_STREAMS = 64  # of notices, for clients of the newest protocol
MOST_CALLS = 200  # at a time: `wait` keeps its thread for up to 50 s
UNREAD_FOR = 2.0  # seconds until a client that reads nothing is told of nothing any more
Context = Any  # a ServerRequestContext of the SDK

_CONFIRM = {
    "type": "object",
    "properties": {"agreed": {"type": "boolean", "title": "Yes, do it", "default": False}},
    "required": ["agreed"],
}
_QUESTION = "agreed"


class McpServer:
    """One server for the stack of one folder; its sessions share leases and notices."""

    def __init__(self, toolbox: Toolbox, version: str) -> None:
        self._toolbox = toolbox
        self._bus = InMemorySubscriptionBus()
        self._listening: dict[object, frozenset[str]] = {}
        self._subscribed: dict[str, list[ServerSession]] = {}  # of clients that speak an older version
        self._token: Any = None
        self._changes = Changes(toolbox.project, self._wanted, self._notify)
        self._listen = ListenHandler(self._bus, max_subscriptions=MOST_STREAMS)
        self._threads = anyio.CapacityLimiter(MOST_CALLS)
        self.server: Server[Any] = Server(
            "portsup", version=version, title="portsup", instructions=INSTRUCTIONS, lifespan=self._lifespan,
            on_list_tools=self._list_tools, on_call_tool=self._call_tool, on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates, on_read_resource=self._read_resource,
            on_subscribe_resource=self._subscribe, on_unsubscribe_resource=self._unsubscribe,
            on_subscriptions_listen=self._listened, on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
        )  # fmt: skip

    async def serve_stdio(self) -> None:
        """Serves whoever is at stdin and stdout, until that ends or a signal comes."""
        options = self.server.create_initialization_options(NotificationOptions())
        try:
            with cut_short(self._toolbox.close):
                async with stdio_server() as (read, write):
                    await self.server.run(read, write, options)
        except* BrokenPipeError:  # the client has left, and nobody reads what it has asked for
            pass

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        self._token = anyio.lowlevel.current_token()
        try:
            yield {}
        finally:
            self._changes.close()
            self._toolbox.close()

    async def _list_tools(self, _: Context, __: Any) -> types.ListToolsResult:
        tools = [
            types.Tool(
                name=each.name, title=each.title, description=each.description, input_schema=each.input_schema,
                output_schema=OUTPUT, annotations=types.ToolAnnotations.model_validate(each.annotations),
            )
            for each in self._toolbox.tools.values()
        ]  # fmt: skip
        return types.ListToolsResult(tools=tools)

    async def _call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        arguments = dict(params.arguments or {})
        question = sendable(await self._in_thread(self._toolbox.question_before, params.name, arguments))
        if question:
            answer = await self._ask(context, params, question)
            if isinstance(answer, types.InputRequiredResult):
                return answer
            if not answer:
                command = self._toolbox.command_for(params.name, arguments)
                can_ask = _can_be_asked(context)
                why = "the user did not agree" if can_ask else "this has to be agreed to, and your client cannot ask"
                then = "" if can_ask else f"ask the user to run `{command}`"
                return _told(made(ok=False, code="not-agreed", why=f"{why}: {question}", next=then))
        return _told(await self._in_thread(self._toolbox.call, params.name, arguments))

    async def _ask(
        self, context: Context, params: types.CallToolRequestParams, question: str
    ) -> bool | types.InputRequiredResult:
        """Whether the user agrees; in the newer protocol the client calls again with the answer."""
        if not _can_be_asked(context):
            return False
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            answers = params.input_responses or {}
            if _QUESTION in answers:
                return _agrees(answers[_QUESTION])
            form = types.ElicitRequestFormParams(message=question, requested_schema=_CONFIRM)
            return types.InputRequiredResult(input_requests={_QUESTION: types.ElicitRequest(params=form)})
        try:
            return _agrees(await context.session.elicit_form(question, _CONFIRM, context.request_id))
        except MCPError:  # it said that it could be asked
            return False

    async def _list_resources(self, _: Context, __: Any) -> types.ListResourcesResult:
        try:
            found = await self._in_thread(listed, self._toolbox.project)
        except PortsupError:  # no services.yaml, or a wrong one: the tools say so
            found = []
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=each.uri, name=each.name, description=each.description, mime_type=each.mime_type)
                for each in found
            ]
        )

    async def _list_templates(self, _: Context, __: Any) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template="portsup://{stack}/{instance}/logs/{service}", name="logs", mime_type="text/plain"
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(self, _: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        uri = str(params.uri)
        try:
            text, mime = await self._in_thread(content_of, self._toolbox.project, uri)
        except PortsupError as error:
            raise MCPError(types.INVALID_PARAMS, sendable(str(error)), {"uri": sendable(uri)}) from error
        content = types.TextResourceContents(uri=uri, text=sendable(text), mime_type=mime)
        return types.ReadResourceResult(contents=[content])

    async def _subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        asked = self._subscribed.setdefault(str(params.uri), [])
        if not any(each is context.session for each in asked):
            asked.append(context.session)
        self._changes.begin()
        return types.EmptyResult()

    async def _unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        self._forget(str(params.uri), context.session)
        return types.EmptyResult()

    def _forget(self, uri: str, session: ServerSession) -> None:
        """One session is not told of an address any more; others that have asked for it are."""
        left = [each for each in self._subscribed.pop(uri, ()) if each is not session]
        if left:
            self._subscribed[uri] = left

    async def _listened(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        key = object()
        self._listening[key] = frozenset(map(str, params.notifications.resource_subscriptions or ()))
        self._changes.begin()
        try:
            return await self._listen(context, params)
        finally:
            del self._listening[key]

    def _wanted(self) -> frozenset[str]:
        return frozenset(self._subscribed).union(*tuple(self._listening.values()))

    def _notify(self, uri: str) -> None:
        """Called in a thread: whoever has asked for that address hears of it."""
        with contextlib.suppress(RuntimeError, CancelledError):  # the server ends, or has ended
            anyio.from_thread.run(self._publish, uri, token=self._token)

    async def _publish(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri=uri))
        for session in tuple(self._subscribed.get(uri, ())):
            try:
                with anyio.fail_after(UNREAD_FOR):
                    await session.send_resource_updated(uri)
            except Exception:  # whatever a client that has left makes of it: it is not told again
                self._forget(uri, session)

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        """What a call gives that may take long; a request that is given up on leaves it to end by itself."""
        work = functools.partial(call, *arguments)
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)

    async def _list_prompts(self, _: Context, __: Any) -> types.ListPromptsResult:
        prompts = [
            types.Prompt(
                name=each.name, title=each.title, description=each.description,
                arguments=[
                    types.PromptArgument(name=name, description=words, required=True)
                    for name, words in each.arguments.items()
                ],
            )
            for each in PROMPTS
        ]  # fmt: skip
        return types.ListPromptsResult(prompts=prompts)

    async def _get_prompt(self, _: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        try:
            prompt, text = filled(params.name, params.arguments or {})
        except Refused as refused:
            raise MCPError(types.INVALID_PARAMS, sendable(str(refused))) from refused
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=sendable(text)))
        return types.GetPromptResult(description=prompt.description, messages=[message])


def _told(result: Result) -> types.CallToolResult:
    """The same as an object and as text, for clients that read only one of them."""
    result = sendable(result)
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    content: list[types.ContentBlock] = [types.TextContent(type="text", text=text)]
    return types.CallToolResult(content=content, structured_content=result, is_error="code" in result)


def _can_be_asked(context: Context) -> bool:
    capabilities = context.session.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


def _agrees(answer: Any) -> bool:
    is_accepted = getattr(answer, "action", "") == "accept"
    return is_accepted and (getattr(answer, "content", None) or {}).get("agreed") is True
