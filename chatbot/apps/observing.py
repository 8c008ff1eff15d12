"""What every process shows of itself: `/metrics`, and how it is; workers on a port that has nothing else."""

import asyncio
import socket

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chatbot import __version__
from chatbot.apps.serving import bind
from chatbot.core.logging import get_logger
from chatbot.core.settings import ConfigurationError
from chatbot.core.web import RequestContext, install_problem_handlers
from chatbot.ops.health import Health, health_router

log = get_logger(__name__)


def metrics_router() -> APIRouter:
    """Return `/metrics`."""
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus metrics of this process."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def observed_app(name: str, health: Health) -> FastAPI:
    """Compose the application of a port on which a process shows of itself what it can be asked, and nothing else."""
    app = FastAPI(title=f"Xin {name}", version=__version__, openapi_url=None)
    app.state.draining = asyncio.Event()
    app.state.health = health
    install_problem_handlers(app)
    for router in (health_router(), metrics_router()):
        app.include_router(router)
    app.add_middleware(RequestContext, max_body_bytes=lambda _path: 0)
    return app


def observed_doors(*doors: tuple[FastAPI, socket.socket | None]) -> list[tuple[FastAPI, socket.socket]]:
    """Return those whose port was bound, to be served."""
    return [(app, listener) for app, listener in doors if listener]


def bind_observed(host: str, port: int, *, variable: str) -> socket.socket | None:
    """Bind such a port; None when it is taken, which is logged and stops nobody.

    Several processes of one machine share a configuration: the port is the first one's, the work is everybody's. It
    listens at once, for a port that is only bound may be bound by another process too.
    """
    try:
        listener = bind(host, port, variable=variable)
        listener.listen()
    except (ConfigurationError, OSError) as error:
        log.warning("metrics port not available; going on without it", variable=variable, port=port, reason=str(error))
        return None
    return listener
