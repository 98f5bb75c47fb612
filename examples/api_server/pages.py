"""Pages for people, from files on this machine alone: `/` shows the stack, `/docs` is the API to try it on."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from examples.web import ServiceError

# FastAPI's own page loads these from a server on the internet, and stays blank without one.
ASSETS = {
    "/docs/swagger-ui-bundle.js": "text/javascript",
    "/docs/swagger-ui.css": "text/css",
    "/docs/favicon.png": "image/png",
}
PAGE = Path(__file__).with_name("page")
FILES = {
    "/": ("index.html", "text/html"),
    "/stack.css": ("stack.css", "text/css"),
    "/stack.js": ("stack.js", "text/javascript"),
}
# Nothing but what this server sends is run, shown or talked to.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
PATHS = (*FILES, "/docs", *ASSETS)


def routes(api: FastAPI) -> list[BaseRoute]:
    """The pages and the files they are made of."""

    async def own(request: Request) -> Response:
        name, kind = FILES[request.url.path]
        return Response((PAGE / name).read_bytes(), media_type=kind, headers=HEADERS)

    async def page(_: Request) -> Response:
        script, style, icon = ASSETS
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=api.title,
            swagger_js_url=script,
            swagger_css_url=style,
            swagger_favicon_url=icon,
            swagger_ui_parameters={"validatorUrl": None},
        )

    async def asset(request: Request) -> Response:
        path = _folder() / request.url.path.rpartition("/")[2]
        return FileResponse(path, media_type=ASSETS[request.url.path])

    return [*(Route(path, own) for path in FILES), Route("/docs", page), *(Route(path, asset) for path in ASSETS)]


def _folder() -> Path:
    """Where the package fastapi-offline keeps the files; looked up without importing it."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError("docs_unavailable", "the package `fastapi-offline` is not installed", 404)
    return Path(spec.submodule_search_locations[0]) / "static"
