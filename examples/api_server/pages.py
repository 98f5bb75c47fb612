"""`/docs`: the API's description as a page to try it on, from files on this machine alone."""

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
PATHS = ("/docs", *ASSETS)


def routes(api: FastAPI) -> list[BaseRoute]:
    """The page and the files it is made of."""

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

    return [Route("/docs", page), *(Route(path, asset) for path in ASSETS)]


def _folder() -> Path:
    """Where the package fastapi-offline keeps the files; looked up without importing it."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError("docs_unavailable", "the package `fastapi-offline` is not installed", 404)
    return Path(spec.submodule_search_locations[0]) / "static"
