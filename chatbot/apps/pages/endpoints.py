"""`/console/`, `/embed.js`, `/widget/`, `/demo`, `/docs`: for browsers; none of them says anything of a tenant."""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from chatbot.apps.pages.demo import demo_page
from chatbot.apps.pages.folders import built
from chatbot.apps.pages.headers import console_headers, demo_headers, documentation_headers
from chatbot.apps.pages.html import documentation_page, nothing_built_page
from chatbot.core.crypto import random_secret
from chatbot.core.errors import NotFound
from chatbot.core.settings import Settings
from chatbot.core.static_files import IMMUTABLE, REVALIDATE, StaticFile, StaticFolder, of_bytes

CONSOLE = "/console/"
_EMBED_SECONDS = 300
_FOR_ALL = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
_VIEWER = {
    "swagger-ui.js": "swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui.css",
    "favicon.png": "favicon-32x32.png",
}
_START_VIEWER = b"""SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#api", deepLinking: true, persistAuthorization: false, filter: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""


class Pages:
    """The pages of one process.

    Args:
        console: the folder of the built console.
        widget: the folder of the built widget.
    """

    def __init__(self, settings: Settings, console: StaticFolder, widget: StaticFolder) -> None:
        self._settings = settings
        self._console = console
        self._widget = widget
        self._console_headers = console_headers(settings)
        self._viewer: dict[str, StaticFile] = {}

    async def first(self, _request: Request) -> Response:
        """Lead to the console, or say how it is built."""
        if await self._console.find("index.html"):
            return RedirectResponse(CONSOLE)
        return HTMLResponse(nothing_built_page(), status_code=503, headers=documentation_headers())

    async def console(self, request: Request, path: str) -> Response:
        """A file of the console; every address without one is the application's own, and gets its page."""
        found = await self._console.find(path)
        if found and path != "index.html":
            cache = IMMUTABLE if path.startswith("assets/") else REVALIDATE
            return found.answer(request, {**self._console_headers, "Cache-Control": cache})
        page = await self._console.find("index.html")
        if page is None:
            return await self.first(request)
        if "." in path.rpartition("/")[2] and path != "index.html":
            raise NotFound("no such file")
        return page.answer(request, {**self._console_headers, "Cache-Control": REVALIDATE})

    async def embed(self, request: Request) -> Response:
        """The loader that a snippet names, or its map: short-lived, for it leads to everything else."""
        return await self._of_widget(request, request.url.path[1:], f"public, max-age={_EMBED_SECONDS}")

    async def widget(self, request: Request, path: str) -> Response:
        """A part of the widget; its name changes with its content."""
        return await self._of_widget(request, f"widget/{path}", IMMUTABLE)

    async def demo(self, request: Request, lang: Annotated[str, Query(max_length=35)] = "en") -> Response:
        """A page of nobody's with the documented snippet for the demo tenant; on a development platform only."""
        if self._settings.environment != "development":
            raise NotFound("there is no demo page outside development")
        nonce = random_secret()
        page = demo_page(self._settings, str(request.base_url).rstrip("/"), lang, nonce)
        return HTMLResponse(page, headers={**demo_headers(self._settings, nonce), "Cache-Control": "no-store"})

    async def documentation(self, _request: Request) -> Response:
        """The API's documentation, which needs nothing from elsewhere."""
        return HTMLResponse(documentation_page(), headers=documentation_headers())

    async def documentation_file(self, request: Request, name: str) -> Response:
        """A file of the documentation's viewer."""
        return self._viewers(name).answer(request, {"Cache-Control": REVALIDATE})

    async def _of_widget(self, request: Request, name: str, cache: str) -> Response:
        found = await self._widget.find(name)
        if found is None:
            raise NotFound("no such file; `make frontends` builds the widget")
        return found.answer(request, {**_FOR_ALL, "Cache-Control": cache})

    def _viewers(self, name: str) -> StaticFile:
        if name not in self._viewer:
            if name == "start.js":
                content = _START_VIEWER
            elif name in _VIEWER:
                content = files("fastapi_swagger").joinpath("resources", _VIEWER[name]).read_bytes()
            else:
                raise NotFound("no such file")
            self._viewer[name] = of_bytes(name, content)
        return self._viewer[name]


def pages_router(settings: Settings) -> APIRouter:
    """Return the routes of the pages."""
    pages = Pages(settings, StaticFolder(built("frontend")), StaticFolder(built("widget")))
    router = APIRouter()
    routes: dict[str, Any] = {
        "/": pages.first,
        CONSOLE.rstrip("/"): pages.first,
        CONSOLE + "{path:path}": pages.console,
        "/embed.js": pages.embed,
        "/embed.js.map": pages.embed,
        "/widget/{path:path}": pages.widget,
        "/demo": pages.demo,
        "/docs": pages.documentation,
        "/docs/{name}": pages.documentation_file,
    }
    for path, page in routes.items():
        router.add_api_route(path, page, methods=["GET", "HEAD"], include_in_schema=False)
    return router
