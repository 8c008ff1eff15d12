"""`xin doctor`: look at each thing that the platform needs, and say what is wrong and what to do."""

import asyncio
import os
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
from rich.console import Console

from chatbot.apps.boot import ready_database
from chatbot.core.blobs import open_blobs
from chatbot.core.errors import XinError
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database

_MIN_FREE_BYTES = 1024**3
_ANSWER_SECONDS = 5


class _Trouble(Exception):
    """What is wrong and what to do, in one sentence."""


async def examine(settings: Settings) -> bool:
    """Print a line per check; return whether all is well."""
    console = Console()
    well = True
    for name, check in _checks(settings):
        try:
            console.print(f"[green]ok[/]    {name}: {await check()}")
        except (_Trouble, XinError, OSError) as trouble:
            console.print(f"[red]wrong[/] {name}: {trouble}")
            well = False
    return well


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], Awaitable[str]]]]:
    async def folder() -> str:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(settings.data_dir, os.W_OK):
            raise _Trouble(f"XIN_DATA_DIR: {settings.data_dir} cannot be written; give it to the platform's user")
        free = shutil.disk_usage(settings.data_dir).free
        if free < _MIN_FREE_BYTES:
            raise _Trouble(f"XIN_DATA_DIR: {free // 1024**2} MB are free; make room, 1 GB is the least")
        return f"{settings.data_dir}, {free // 1024**3} GB free"

    async def database() -> str:
        return await asyncio.to_thread(_database_answers, settings)

    async def storage() -> str:
        await (await open_blobs(settings)).check()
        return settings.storage_endpoint_url or str(settings.folder("uploads"))

    async def platform() -> str:
        return await _platform_answers(settings)

    async def model() -> str:
        return await _model_answers(settings)

    yield "data folder", folder
    yield "database", database
    yield "file storage", storage
    yield "platform", platform
    yield "model", model


def _database_answers(settings: Settings) -> str:
    async def ping(url: str) -> None:
        async with Database(url, pool_size=1) as database:
            await database.ping()

    with ready_database(settings) as url:
        asyncio.run(ping(url))
    return "DATABASE_URL" if settings.database_url else "the bundled PostgreSQL"


async def _platform_answers(settings: Settings) -> str:
    url = f"http://{settings.host}:{settings.orchestrator_port}/health"
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
            body = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return _port_is_free(settings)
    if answer.status != 200:
        raise _Trouble(f"{url} says {body.get('dependencies')}; mend the dependency that it names")
    return f"runs at {url}"


def _port_is_free(settings: Settings) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.orchestrator_port))
        except OSError:
            raise _Trouble(
                f"ORCHESTRATOR_PORT: {settings.orchestrator_port} is taken by another program; choose another port"
            ) from None
    return "does not run; `make run` or `xin run` starts it"


async def _model_answers(settings: Settings) -> str:
    if not settings.smart_mode_enabled:
        return "SMART_MODE_ENABLED is off: answers come from the knowledge alone"
    if not settings.openai_api_key:
        return "OPENAI_API_KEY is not set: answers come from the knowledge alone"
    url = settings.openai_base_url.rstrip("/") + "/models"
    headers = {"Authorization": f"Bearer {settings.openai_api_key.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url, headers=headers) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _Trouble(f"OPENAI_BASE_URL: {type(error).__name__}; is the address reachable from here?") from None
    if status in {401, 403}:
        raise _Trouble(f"OPENAI_API_KEY: refused with {status}; set a valid key")
    return f"{settings.openai_base_url} answers"
