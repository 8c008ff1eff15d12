"""What the program itself says: its settings, its commands, the paths that its processes answer."""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from chatbot.apps.api import make_api
from chatbot.apps.observing import metrics_router, observed_app
from chatbot.apps.pages.endpoints import pages_router
from chatbot.cli.main import app as command_line
from chatbot.core.settings import Settings
from chatbot.ops.health import Health, health_router

SETTINGS = {name.upper(): field for name, field in Settings.model_fields.items()}
COMMANDS = {
    str(command.name or getattr(command.callback, "__name__", "")) for command in command_line.registered_commands
} | {str(group.name or getattr(group.typer_instance, "info", group).name) for group in command_line.registered_groups}

_PROCESS_PATHS = {"/health", "/health/live", "/health/ready", "/metrics"}
GATEWAY_PATHS = _PROCESS_PATHS | {"/webhooks/health", "/webhooks/telegram/x", "/webchat/webhook", "/ws"}


def default(setting: str) -> object:
    """The default of a setting."""
    return SETTINGS[setting].default


def orchestrator_paths() -> set[str]:
    """Every path of the orchestrator, its pages too."""
    app = make_api()
    app.include_router(pages_router(Settings()))
    return {context.path for context in iter_route_contexts(app.routes) if context.path}


def answered(component: str) -> set[str]:
    """The paths under which a process tells how it is."""
    if component == "orchestrator":
        return orchestrator_paths()
    if component == "channel-gateway":
        return set(_paths(health_router("/webhooks/health"), metrics_router()))
    return {context.path for context in iter_route_contexts(observed_app(component, Health({})).routes) if context.path}


def _paths(*routers: object) -> Iterable[str]:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)  # type: ignore[arg-type]
    return [context.path for context in iter_route_contexts(app.routes) if context.path]
