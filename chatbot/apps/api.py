"""The orchestrator's HTTP surface: every room's routes on one application, and the document that describes it."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI

from chatbot import __version__
from chatbot.apps.observing import metrics_router
from chatbot.automation.router import router as automation
from chatbot.channels.bot_profiles.endpoints import router as bot_profiles
from chatbot.channels.endpoints import router as channels_admin
from chatbot.channels.files.endpoints import router as files
from chatbot.channels.outbox.endpoints import router as deliveries
from chatbot.channels.widget.endpoints import router as widget
from chatbot.core.web import install_problem_handlers
from chatbot.dialogue.endpoints import router as dialogue
from chatbot.dialogue.handoff.endpoints import router as handoff
from chatbot.dialogue.internal import router as internal
from chatbot.dialogue.transcripts.endpoints import router as transcripts
from chatbot.dialogue.trial_endpoints import router as trial
from chatbot.helpdesk.csat.endpoints import router as csat
from chatbot.helpdesk.router import router as helpdesk
from chatbot.helpdesk.tickets.router import router as tickets
from chatbot.identity.router import router as identity
from chatbot.knowledge.editing.endpoints import router as passages
from chatbot.knowledge.endpoints import router as knowledge
from chatbot.knowledge.gaps.endpoints import router as gaps
from chatbot.knowledge.retrieval.endpoints import router as diagnostics
from chatbot.ops.analytics.endpoints import router as analytics
from chatbot.ops.budgets.endpoints import router as budgets
from chatbot.ops.decommission.endpoints import router as decommission
from chatbot.ops.erasure.endpoints import router as erasures
from chatbot.ops.export.endpoints import router as export
from chatbot.ops.figures.endpoints import router as figures
from chatbot.ops.health import health_router
from chatbot.ops.logs.endpoints import router as logs
from chatbot.ops.onboarding.endpoints import router as onboarding
from chatbot.ops.restoring.endpoints import router as restoring
from chatbot.ops.retention.endpoints import router as retention
from chatbot.ops.system.endpoints import router as system


def api_document() -> dict[str, Any]:
    """Return the OpenAPI document, which needs no running platform."""
    return make_api().openapi()


def make_api() -> FastAPI:
    """Return the application with its routes, whose parts are yet to be published."""
    app = FastAPI(
        title="Xin",
        version=__version__,
        description="Support chat that answers from a tenant's own knowledge, with sources.",
        docs_url=None,
        redoc_url=None,
    )
    install_problem_handlers(app)
    for router in _routers():
        app.include_router(router)
    return app


def _routers() -> Iterable[APIRouter]:
    """In the order in which a request's path is looked up: what is asked most comes first."""
    yield dialogue
    yield handoff
    yield health_router("/api/health")
    yield metrics_router()
    yield identity
    yield trial
    yield knowledge
    yield passages
    yield gaps
    yield diagnostics
    yield channels_admin
    yield bot_profiles
    yield widget
    yield files
    yield deliveries
    yield transcripts
    yield csat
    yield export  # its paths look like those of one conversation
    yield tickets
    yield helpdesk
    yield automation
    yield analytics
    yield budgets
    yield decommission
    yield erasures
    yield restoring
    yield retention
    yield onboarding
    yield system
    yield figures
    yield logs
    yield internal
