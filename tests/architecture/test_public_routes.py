"""The set of routes that answer without credentials is this list, and bodies take no field that is not named."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from chatbot.apps.all_in_one import gateway_parts
from chatbot.apps.gateway import create_gateway_app
from chatbot.apps.runtime import Runtime
from chatbot.channels.registry import PROVIDERS
from chatbot.channels.schemas import ChannelType
from chatbot.core.ids import new_id
from chatbot.core.metrics import is_asked_for
from tests.openapi_calls import Json, operations, resolve

PUBLIC = {
    # Health and figures: for load balancers and Prometheus, on an inner network.
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /api/health",
    "GET /metrics",
    "GET /api/metrics",
    # The documentation of the API, which holds no data.
    "GET /docs",
    "GET /docs/{name}",
    "GET /openapi.json",
    # Pages: the same files for everybody; what they show they ask the API for.
    "GET /",
    "GET /console",
    "GET /console/{path:path}",
    "GET /embed.js",
    "GET /embed.js.map",
    "GET /widget/{path:path}",
    "GET /demo",
    # Without credentials the demo tenant is asked.
    "POST /api/chat",
    # What an origin's own pages show anyway; nothing to any other.
    "GET /bots.config.json",
    # What a tenant's own pages show anyway; pages of other origins are refused.
    "GET /v1/widget/config",
    # The origin of the page is looked at, and a cookie says who the visitor is.
    "POST /v1/widget/sessions",
    # The credential is in the body.
    "POST /auth/login",
    "POST /auth/logout",
    # The token of a link is the credential.
    "POST /auth/password/reset",
    "POST /auth/invitations/accept",
    # To the provider of sign-in and back: the browser's cookie and the provider's token are the credentials.
    "GET /auth/oidc/{provider}/start",
    "GET /auth/oidc/{provider}/callback",
    # What the sign-in page offers.
    "GET /auth/providers",
}

GATEWAY = {
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /webhooks/health",
    "GET /metrics",
    # Each proves itself: by a signature over the body, or by what the provider was told. `/ws` is no route at all.
    "POST /webchat/webhook",
    "GET /webhooks/{channel_type}/{channel_id}",
    "POST /webhooks/{channel_type}/{channel_id}",
    "GET /webhooks/{channel_type}/{channel_id}/{token}",
    "POST /webhooks/{channel_type}/{channel_id}/{token}",
}
"""Every route of the gateway."""

OPTIONAL = {"POST /api/chat", "POST /auth/logout"}
"""Public, and yet a credential is understood, so the document names its scheme."""

OPEN_OBJECTS = {"EmbedUser"}
"""Bodies that take further text fields by contract (a visitor's own attributes)."""


async def test_the_routes_without_credentials_are_known(app: FastAPI, client: httpx.AsyncClient) -> None:
    open_routes = set()
    for method, path in _routes(app.routes):
        answer = await client.request(method, _filled(path))
        if answer.status_code != 401:
            open_routes.add(f"{method} {path}")
    assert open_routes == PUBLIC


async def test_an_operation_says_that_it_needs_a_credential(app: FastAPI) -> None:
    undeclared = {f"{each.method.upper()} {each.path}" for each in operations(app.openapi()) if not each.protected}
    documented = {route for route in PUBLIC if route.split()[1] in app.openapi()["paths"]}
    assert undeclared == documented - OPTIONAL


def test_no_body_takes_a_field_that_is_not_named(app: FastAPI) -> None:
    document = app.openapi()
    components = document["components"]["schemas"]
    taken: dict[str, Json] = {}
    for path, item in document["paths"].items():
        for method, described in item.items():
            schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema:
                taken |= dict(_objects(schema, components, f"{method.upper()} {path}"))
    assert len(taken) > 10
    loose = {name for name, schema in taken.items() if schema.get("additionalProperties") is not False}
    assert loose == OPEN_OBJECTS


def _objects(schema: Json, components: Json, name: str) -> Iterator[tuple[str, Json]]:
    """Give every object with named fields within a schema, under its component's name."""
    waiting, seen = [(name, schema)], set()
    while waiting:
        name, part = waiting.pop()
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            if name in seen:
                continue
            seen.add(name)
            part = resolve(part, components)
        if "properties" in part:
            yield name, part
        inner: list[Any] = [*part.get("properties", {}).values(), *part.get("anyOf", ()), *part.get("oneOf", ())]
        inner += [part[key] for key in ("items", "additionalProperties") if isinstance(part.get(key), dict)]
        waiting += [(f"{name}.…", each) for each in inner]


def _routes(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give method and path of every route, also below included routers and mounted applications."""
    for route in iter_route_contexts(routes):
        path = prefix + (route.path or "")
        mounted = getattr(route.route, "routes", None)
        if mounted:
            yield from _routes(mounted, path)
            continue
        for method in sorted(route.methods or ()):
            if method not in ("HEAD", "OPTIONS"):
                yield method, path


def _filled(path: str) -> str:
    parts = [str(new_id()) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def test_every_channel_type_of_the_api_has_its_provider() -> None:
    assert set(get_args(ChannelType)) == set(PROVIDERS)


def test_figures_of_requests_leave_out_these_routes_and_no_others(app: FastAPI, runtime: Runtime) -> None:
    gateway = create_gateway_app(gateway_parts(runtime, app))
    routes = {path for each in (app, gateway) for _, path in _routes(each.routes)}
    assert {path for path in routes if not is_asked_for(path)} == {
        "/health", "/health/live", "/health/ready", "/api/health", "/webhooks/health", "/metrics", "/api/metrics",
    }  # fmt: skip


def test_the_gateways_routes_are_known(app: FastAPI, runtime: Runtime) -> None:
    gateway = create_gateway_app(gateway_parts(runtime, app))
    found = set()
    for context in iter_route_contexts(gateway.routes):
        route: Any = context.original_route
        methods = route.methods - {"HEAD"}
        found |= {f"{method} {context.path}" for method in methods}
    framework = {"GET /docs", "GET /redoc", "GET /docs/oauth2-redirect"}
    assert found - framework == GATEWAY
