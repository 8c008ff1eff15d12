"""`xin backup rehearse`: back up, restore into a scratch platform, check what came back, ask it something, report."""

import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from chatbot.apps.boot import running_database
from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.errors import XinError
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.identity.audit.reading import AuditReader
from chatbot.identity.cli_token import mint
from chatbot.identity.keys import SECRETS_FILE, load_keys
from chatbot.identity.subject import Role
from chatbot.ops.backup.checks_repository import KnownPassage, forget_waiting_jobs, known_passages
from chatbot.ops.backup.create import create_backup
from chatbot.ops.backup.manifest import FILES
from chatbot.ops.backup.restore import Restored, restore_backup
from chatbot.ops.backup.workplace import scratch
from chatbot.ops.rotation.service import count_sealed

_SOURCES_ASKED = 5
_WORDS_OF_QUESTION = 14


class _CheckFailed(XinError):
    """A check of the restored platform that did not hold."""


async def rehearse(settings: Settings, database_url: str) -> bool:
    """Print a line per check and, at the end, a row for the log of rehearsals; return whether all held."""
    console = Console(soft_wrap=True, highlight=False)
    began = time.monotonic()
    backup = await create_backup(settings, database_url)
    console.print(f"[green]ok[/]     backup: {backup.file.name}, {backup.manifest.rows} rows")
    with scratch(backup.file.parent, "rehearsing") as folder:
        apart = _apart(settings, folder)
        with running_database(apart) as url:
            restored = await restore_backup(apart, url, backup.file)
            console.print(f"[green]ok[/]     restore: {restored.manifest.rows} rows, every table as backed up")
            well = await _check(apart, url, restored, console)
    seconds = round(time.monotonic() - began)
    console.print(
        f"| {backup.manifest.created_at:%Y-%m-%d %H:%M} UTC | {backup.file.name} | {seconds} s | "
        f"{backup.manifest.rows} rows, 0 apart | {'passed' if well else 'FAILED'} |"
    )
    return well


def _apart(settings: Settings, folder: Path) -> Settings:
    """Settings of a platform of its own: nothing outside of its folder, no model, nobody to send anything to."""
    if (settings.data_dir / SECRETS_FILE).is_file():
        shutil.copyfile(settings.data_dir / SECRETS_FILE, folder / SECRETS_FILE)
        (folder / SECRETS_FILE).chmod(0o600)
    nothing = dict.fromkeys(
        ("database_url", "redis_url", "qdrant_url", "storage_endpoint_url", "openai_api_key", "oidc_issuer",
         "openai_embedding_model", "uploads_dir", "transcripts_dir", "tickets_dir", "logs_dir", "backup_bucket")
    )  # fmt: skip
    return settings.model_copy(
        update={**nothing, "xin_data_dir": folder, "smart_mode_enabled": False, "embedder": _embedder(settings)}
    )


def _embedder(settings: Settings) -> str:
    """The embedder that works without asking anybody; words alone where that was another's work."""
    return settings.embedder if settings.embedder in {"minilm", "none"} else "auto"


async def _check(settings: Settings, url: str, restored: Restored, console: Console) -> bool:
    async with Database(url, pool_size=2) as database, database.platform() as session:
        await forget_waiting_jobs(session)
    well = True
    async with _running(settings, url) as (runtime, http):
        checks: dict[str, Callable[[], Awaitable[str]]] = {
            "files": lambda: _files(runtime, restored),
            "secrets": lambda: _secrets(runtime),
            "audit log": lambda: _audit(runtime),
            "answer": lambda: _answer(runtime, http),
        }
        for name, check in checks.items():
            try:
                console.print(f"[green]ok[/]     {name}: {await check()}")
            except XinError as error:
                console.print(f"[red]wrong[/]  {name}: {error}")
                well = False
    return well


@asynccontextmanager
async def _running(settings: Settings, url: str) -> AsyncIterator[tuple[Runtime, aiohttp.ClientSession]]:
    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        open_runtime(settings, url, load_keys(settings)) as runtime,
        orchestrating(runtime) as app,
        serve(app, listener),
        aiohttp.ClientSession(base) as http,
    ):
        yield runtime, http


async def _files(runtime: Runtime, restored: Restored) -> str:
    there = {key async for key in runtime.blobs.all_keys()}
    lost = [name for name in restored.manifest.under(FILES) if name.removeprefix(FILES) not in there]
    if lost:
        raise _CheckFailed(f"{len(lost)} files did not come back, {lost[0]} is one")
    return f"{len(there)} came back"


async def _secrets(runtime: Runtime) -> str:
    opened, unreadable = await count_sealed(runtime.database, runtime.settings)
    if unreadable:
        raise _CheckFailed(f"{unreadable} of {opened + unreadable} cannot be opened with XIN_ENCRYPTION_KEYS")
    return f"{opened} can be opened"


async def _audit(runtime: Runtime) -> str:
    reader = AuditReader(runtime.database)
    verdicts = [await reader.verify(chain) for chain in await reader.chains()]
    broken = [verdict for verdict in verdicts if verdict.broken_at is not None]
    if broken:
        raise _CheckFailed(f"{len(broken)} of {len(verdicts)} chains are broken; `xin audit verify` says where")
    return f"{len(verdicts)} chains hold"


async def _answer(runtime: Runtime, http: aiohttp.ClientSession) -> str:
    async with runtime.database.platform() as session:
        known = await known_passages(session, _SOURCES_ASKED)
    if not known:
        return "there is no knowledge to ask for"
    for passage in known:
        answer = await _ask(runtime, http, passage)
        if str(passage.source_id) in {cited["source_id"] for cited in answer.get("citations", ())}:
            return f"{answer['answer'].splitlines()[0][:80]!r}, cited"
    raise _CheckFailed(f"none of {len(known)} questions was answered from its source")


async def _ask(runtime: Runtime, http: aiohttp.ClientSession, passage: KnownPassage) -> dict[str, Any]:
    token = mint(runtime.settings, Role.PLATFORM_ADMIN, passage.tenant_id)
    question = " ".join(passage.text.split()[:_WORDS_OF_QUESTION])
    body = {"message": question, "brand_id": str(passage.brand_id)}
    async with http.post("/v1/chat", json=body, headers={"Authorization": f"Bearer {token}"}) as answer:
        found: dict[str, Any] = await answer.json()
        return found
