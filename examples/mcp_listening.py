"""Which of the resources that a client wants to hear of it can be told of: the SDK acknowledges whatever is asked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

Request = ServerRequestContext[Any, Any]


def narrowed(ctx: Request, can_be_told: Callable[[str], bool]) -> tuple[Request, list[str]]:
    """The request to listen with those addresses alone, and these: an answer acknowledges what it listens to."""
    wanted = (ctx.params or {}).get("notifications")
    uris = wanted.get("resourceSubscriptions") if isinstance(wanted, dict) else None
    if not isinstance(wanted, dict) or not isinstance(uris, list):
        return ctx, []  # the SDK says what is wrong with it, if anything
    kept = [uri for uri in uris if not isinstance(uri, str) or can_be_told(uri)]
    params = {**(ctx.params or {}), "notifications": {**wanted, "resourceSubscriptions": kept}}
    return replace(ctx, params=params), [uri for uri in kept if isinstance(uri, str)]


async def without_resources(ctx: Request, call_next: CallNext) -> HandlerResult:
    """Middleware of a server that has no resources: nobody is promised news of one."""
    if ctx.method == "subscriptions/listen":
        ctx, _ = narrowed(ctx, lambda uri: False)
    return await call_next(ctx)
