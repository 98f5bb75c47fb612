"""What `/openapi.json` says beside the paths: groups of them, and how to show the token."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

TAGS = [
    {"name": "services", "description": "What runs where, and how it is."},
    {"name": "gateway", "description": "What has gone through `/SERVICE/PATH`, which passes requests on."},
]
ABOUT = (
    "The stack as it is: its services, their ports and health. `/SERVICE/PATH` passes any request on to PATH of that "
    "service, WebSockets included; `/api/events` tells every change as server-sent events, and `/metrics` has figures "
    "of the gateway for Prometheus."
)
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "`API_TOKEN`, or `PORTSUP_EXAMPLE_TOKEN` of all services. Where neither is set, none is asked for.",
}


def describe(api: FastAPI, *, guarded: bool) -> None:
    """Has the application's document name the token; with `guarded`, every path asks for it."""

    def document() -> dict[str, Any]:
        if not api.openapi_schema:
            found = get_openapi(
                title=api.title, version=api.version, description=ABOUT, routes=api.routes, tags=api.openapi_tags
            )
            found.setdefault("components", {})["securitySchemes"] = {"token": SCHEME}
            if guarded:
                found["security"] = [{"token": []}]
            api.openapi_schema = found
        return api.openapi_schema

    api.openapi = document  # type: ignore[method-assign]
