"""`python -m chatbot.ingest`: upload files or folders to the running platform and see what became of each."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import aiohttp
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from chatbot.apps.boot import fail
from chatbot.cli.platform_api import ApiToken, ApiUrl, PlatformApi, Refused, answered, run
from chatbot.cli.tables import listing, moment, show
from chatbot.knowledge.parse.sniff import is_document

_AT_ONCE = 8
_POLL_SECONDS = 0.4
_ENDED = frozenset({"completed", "failed", "cancelled"})

app = typer.Typer(
    help="Upload files or folders as a tenant's knowledge, and see what became of each.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
TenantId = Annotated[UUID, typer.Option(help="The tenant.")]
BrandId = Annotated[str, typer.Option(help="A brand of the tenant, or `default`.")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file."""

    name: str
    ready: bool
    passages: int
    seconds: float
    reason: str


def main() -> None:
    """Run the command line."""
    app()


@app.callback()
def ingest(
    context: typer.Context,
    tenant_id: Annotated[UUID | None, typer.Option(help="The tenant.")] = None,
    path: Annotated[Path | None, typer.Option(help="A file, or a folder with all below it.")] = None,
    brand_id: BrandId = "default",
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Upload everything below a path and wait until it has been read; exit 1 when a file failed."""
    if context.invoked_subcommand:
        return
    if tenant_id is None or path is None:
        fail("--tenant-id and --path are needed (see --help)")
    found = dict(_files_below(path))
    files = {name: file for name, file in found.items() if file == path or is_document(name)}
    if not files:
        fail(f"--path: {path} holds no document")
    if others := len(found) - len(files):
        Console().print(f"{others} files of other types, such as pictures, are left out.")
    run(_ingest_all(_Knowledge(tenant_id, brand_id, api_url, api_token), files))


@app.command()
def upload(
    tenant_id: TenantId,
    file: Annotated[Path, typer.Option(help="The file.")],
    brand_id: BrandId = "default",
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Upload one file and wait until it has been read."""
    if not file.is_file():
        fail(f"--file: {file} is not a file")
    run(_ingest_all(_Knowledge(tenant_id, brand_id, api_url, api_token), {file.name: file}))


@app.command()
def jobs(
    tenant_id: TenantId,
    status: Annotated[str | None, typer.Option(help="pending, running, completed, failed or cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """List the newest ingestion jobs of a tenant."""
    run(_list_jobs(_Knowledge(tenant_id, "default", api_url, api_token), status, limit))


class _Knowledge(PlatformApi):
    """The knowledge API of a tenant of a running platform."""

    def __init__(self, tenant_id: UUID, brand_id: str, api_url: str | None, api_token: str | None) -> None:
        super().__init__(api_url, api_token)
        self.tenant_id = str(tenant_id)
        self.brand_id = brand_id

    async def read(self, http: aiohttp.ClientSession, path: str, **params: str) -> Any:
        """Read one resource of the tenant."""
        return await self.get(http, path, tenant_id=self.tenant_id, **params)

    async def upload(self, http: aiohttp.ClientSession, name: str, file: Path) -> Any:
        """Upload a file; its place below the folder is its external id, so a second run replaces."""
        with file.open("rb") as body:
            form = aiohttp.FormData()
            form.add_field("tenant_id", self.tenant_id)
            form.add_field("brand_id", self.brand_id)
            form.add_field("external_id", name[-500:])
            form.add_field("file", body, filename=file.name, content_type="application/octet-stream")
            async with http.post(f"{self.url}/admin/knowledge_assets/upload", data=form) as answer:
                return await answered(answer)


async def _ingest_all(platform: _Knowledge, files: dict[str, Path]) -> int:
    places = asyncio.Semaphore(_AT_ONCE)
    with _progress() as progress:
        whole = progress.add_task(f"{len(files)} files", total=len(files))

        async def one(name: str, file: Path) -> Outcome:
            async with places:
                row = progress.add_task(name[-60:], total=1)
                try:
                    return await _ingest_one(platform, http, name, file, progress, row)
                finally:
                    progress.remove_task(row)
                    progress.advance(whole)

        async with platform.open() as http:
            outcomes = await asyncio.gather(*(one(name, file) for name, file in files.items()))
    Console().print(_outcome_table(outcomes))
    return 0 if all(outcome.ready for outcome in outcomes) else 1


async def _ingest_one(
    platform: _Knowledge, http: aiohttp.ClientSession, name: str, file: Path, progress: Progress, row: TaskID
) -> Outcome:
    began = time.monotonic()
    try:
        taken = await platform.upload(http, name, file)
        job = taken["job"]
        while job["status"] not in _ENDED:
            await asyncio.sleep(_POLL_SECONDS)
            job = await platform.read(http, f"/admin/ingestion_jobs/{job['id']}")
            progress.update(row, completed=job["progress"], description=f"{name[-50:]} ({job['stage'] or 'waits'})")
        source = await platform.read(http, f"/admin/knowledge_assets/{taken['asset']['id']}")
    except Refused as error:
        return Outcome(name, False, 0, time.monotonic() - began, str(error))
    ready = job["status"] == "completed"
    return Outcome(name, ready, source["passages"], time.monotonic() - began, job["reason"] or "")


async def _list_jobs(platform: _Knowledge, status: str | None, limit: int) -> int:
    wanted = {"status": status} if status else {}
    async with platform.open() as http:
        page = await platform.read(http, "/admin/ingestion_jobs", limit=str(limit), **wanted)
    table = listing("job", "status", "done", "tries", "created", words="reason")
    for job in page["items"]:
        done, created = f"{job['progress']:.0%}", moment(job["created_at"])
        table.add_row(job["id"], job["status"], done, str(job["attempts"]), created, job["reason"] or "")
    show(table)
    return 0


def _files_below(path: Path) -> Iterator[tuple[str, Path]]:
    """Names and files: those below a folder by their place in it, without hidden ones."""
    if path.is_file():
        yield path.name, path
        return
    for file in sorted(path.rglob("*")):
        place = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in place.parts):
            yield place.as_posix(), file


def _outcome_table(outcomes: list[Outcome]) -> Table:
    ready = sum(outcome.ready for outcome in outcomes)
    title = f"{ready} ready, {len(outcomes) - ready} failed"
    table = Table(Column("file", overflow="fold"), "result", "passages", "seconds", "reason", title=title)
    for outcome in outcomes:
        result = "[green]ready[/]" if outcome.ready else "[red]failed[/]"
        table.add_row(outcome.name, result, str(outcome.passages), f"{outcome.seconds:.1f}", outcome.reason)
    return table


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), transient=True)
