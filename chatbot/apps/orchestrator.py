"""The orchestrator (port 8000): admin API, chat API, documentation, metrics."""

import asyncio
from collections.abc import Callable, Iterable

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chatbot import __version__
from chatbot.apps.runtime import Runtime
from chatbot.core.web import RequestContext, install_problem_handlers
from chatbot.ops.health import Health, health_router

_MAX_JSON_BYTES = 1024 * 1024
_UPLOAD_PATHS = ("/admin/knowledge_assets/upload", "/v1/brands/")
_FORM_OVERHEAD = 64 * 1024


def create_app(runtime: Runtime) -> FastAPI:
    """Compose the HTTP application of the orchestrator."""
    app = FastAPI(
        title="Xin",
        version=__version__,
        description="Support chat that answers from a tenant's own knowledge, with sources.",
        redoc_url=None,
    )
    _publish_parts(app, runtime)
    install_problem_handlers(app)
    for router in _routers():
        app.include_router(router)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=runtime.settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID", "X-Tenant-Id"],
        expose_headers=["X-Request-ID", "Retry-After"],
        max_age=600,
    )
    app.add_middleware(RequestContext, max_body_bytes=_body_limit(runtime.settings.max_upload_bytes))
    return app


def _routers() -> Iterable[APIRouter]:
    yield health_router("/api/health")
    yield _metrics_router()


def _publish_parts(app: FastAPI, runtime: Runtime) -> None:
    """Put each part where the rooms' dependencies look for it."""
    app.state.settings = runtime.settings
    app.state.database = runtime.database
    app.state.blobs = runtime.blobs
    app.state.jobs = runtime.jobs
    app.state.bus = runtime.bus
    app.state.keys = runtime.keys
    app.state.draining = asyncio.Event()
    app.state.health = Health({"database": runtime.database.ping, "storage": runtime.blobs.check})


def _metrics_router() -> APIRouter:
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus metrics of this process."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _body_limit(max_upload_bytes: int) -> Callable[[str], int]:
    """Bytes accepted on a path: files where files are taken, JSON elsewhere."""

    def limit(path: str) -> int:
        return max_upload_bytes + _FORM_OVERHEAD if path.startswith(_UPLOAD_PATHS) else _MAX_JSON_BYTES

    return limit
