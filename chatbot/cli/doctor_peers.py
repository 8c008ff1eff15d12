"""Whom `xin doctor` asks over the network: the platform's own processes, Redis, Qdrant, the model, the collector."""

import socket
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp

from chatbot.cli.trouble import Absent, Trouble
from chatbot.core.redis_link import open_redis
from chatbot.core.settings import Settings

_ANSWER_SECONDS = 5
_REFUSED = frozenset({401, 403})
_AWAY = (aiohttp.ClientError, TimeoutError, ValueError)
_TIMEOUT = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)


def peer_checks(settings: Settings) -> dict[str, Callable[[], Awaitable[str]]]:
    """Return each check by its name; what is not configured is not asked."""
    orchestrator, gateway = settings.orchestrator_port, settings.gateway_port
    return {
        "platform": partial(_process, settings, orchestrator, "ORCHESTRATOR_PORT", "/health"),
        "gateway": partial(_process, settings, gateway, "GATEWAY_PORT", "/webhooks/health"),
        "redis": partial(_redis, settings),
        "vectors": partial(_qdrant, settings),
        "model": partial(_model, settings),
        "traces": partial(_traces, settings),
    }


async def _redis(settings: Settings) -> str:
    async with open_redis(settings) as link:
        if link is None:
            return "REDIS_URL is not set: limits are counted in each process"
        await link.ping()
    return "answers"


async def _qdrant(settings: Settings) -> str:
    if not settings.qdrant_url:
        return "QDRANT_URL is not set: vectors are in PostgreSQL"
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else ""
    url = settings.qdrant_url.rstrip("/") + "/collections"
    return await _answers(url, {"api-key": key} if key else {}, "QDRANT_URL", "QDRANT_API_KEY")


async def _model(settings: Settings) -> str:
    if not settings.smart_mode_enabled:
        return "SMART_MODE_ENABLED is off: answers come from the knowledge alone"
    if not settings.openai_api_key:
        return "OPENAI_API_KEY is not set: answers come from the knowledge alone"
    headers = {"Authorization": f"Bearer {settings.openai_api_key.get_secret_value()}"}
    url = settings.openai_base_url.rstrip("/") + "/models"
    return await _answers(url, headers, "OPENAI_BASE_URL", "OPENAI_API_KEY")


async def _traces(settings: Settings) -> str:
    """Send no spans: whatever speaks OTLP over HTTP takes that."""
    url = settings.otel_exporter_endpoint
    if not url:
        return "OTEL_EXPORTER_ENDPOINT is not set: none are sent"
    headers = {"Content-Type": "application/x-protobuf"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as http,
            http.post(url, data=b"", headers=headers) as answer,
        ):
            status = answer.status
    except _AWAY as error:
        raise Trouble(f"OTEL_EXPORTER_ENDPOINT: {type(error).__name__}; is a collector there?") from None
    if status >= 400:
        raise Trouble(f"OTEL_EXPORTER_ENDPOINT: answers {status}; it must take OTLP/HTTP, such as …:4318/v1/traces")
    return f"{url} takes spans"


async def _process(settings: Settings, port: int, variable: str, path: str) -> str:
    url = f"http://{settings.host}:{port}{path}"
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http, http.get(url) as answer:
            body = await answer.json()
    except _AWAY:
        _require_free(settings, port, variable)
        raise Absent("does not run on this machine; `make run`, `xin run` or its unit starts it") from None
    if answer.status != 200:
        raise Trouble(f"{url} says {body.get('dependencies')}; mend the dependency that it names")
    return f"runs at {url}"


def _require_free(settings: Settings, port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, port))
        except OSError:
            raise Trouble(f"{variable}: {port} is taken by another program; choose another port") from None


async def _answers(url: str, headers: dict[str, str], address: str, key: str) -> str:
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http, http.get(url, headers=headers) as answer:
            status = answer.status
    except _AWAY as error:
        raise Trouble(f"{address}: {type(error).__name__}; is the address reachable from here?") from None
    if status in _REFUSED:
        raise Trouble(f"{key}: refused with {status}; set a valid key")
    return f"{url} answers"
