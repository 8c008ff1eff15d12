"""`xin erase`, `xin retention` and the other commands on a running platform's data."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import aiohttp
import orjson
import typer
from rich.console import Console

from chatbot.apps.boot import fail
from chatbot.cli.platform_api import ApiToken, ApiUrl, PlatformApi, Refused, answered, platform_settings, run
from chatbot.core.clock import utcnow
from chatbot.core.folders import anothers

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


class What(StrEnum):
    """What can be exported."""

    CONVERSATIONS = "conversations"
    MESSAGES = "messages"
    TICKETS = "tickets"
    EVENTS = "events"


class Restorable(StrEnum):
    """What can be brought back."""

    TENANT = "tenant"
    USER = "user"
    CHANNEL = "channel"
    RULE = "rule"
    WEBHOOK = "webhook"


class ExportFormat(StrEnum):
    """How it is written."""

    JSONL = "jsonl"
    CSV = "csv"


_EXPORTS = {
    What.CONVERSATIONS: "/admin/conversations/export",
    What.MESSAGES: "/admin/messages/export",
    What.TICKETS: "/api/tickets/export",
    What.EVENTS: "/admin/event_log/export",
}

TenantId = Annotated[UUID, typer.Option(help="Whose data.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count, and remove nothing.")]


@app.command()
def erase(
    tenant_id: TenantId,
    visitor: Annotated[str | None, typer.Option(help="visitor:42, telegram:1234, or an id or a name.")] = None,
    conversation_id: Annotated[UUID | None, typer.Option(help="The visitor of this conversation.")] = None,
    email: Annotated[str | None, typer.Option(help="Every conversation and ticket with this address.")] = None,
    dry_run: DryRun = False,
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Erase a visitor everywhere, and print the receipt."""
    named = {"visitor": visitor, "conversation_id": conversation_id and str(conversation_id), "email": email}
    body = {**{key: value for key, value in named.items() if value}, "dry_run": dry_run}
    run(_send(PlatformApi(api_url, api_token), "POST", f"/admin/tenants/{tenant_id}/erasures", body))


@app.command()
def decommission(
    tenant_id: TenantId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Take a tenant out of service: archived, secrets destroyed, nothing answers any more; print the receipt."""
    if not yes:
        typer.confirm(f"Take tenant {tenant_id} out of service?", abort=True)
    run(_send(PlatformApi(api_url, api_token), "DELETE", f"/admin/tenants/{tenant_id}", None))


@app.command()
def restore(
    kind: Annotated[Restorable, typer.Argument(help="What was deleted.")],
    record_id: Annotated[UUID, typer.Argument(help="Its id.")],
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Bring back what was deleted, within RESTORE_WINDOW_DAYS."""
    place = "automation/rules" if kind is Restorable.RULE else f"{kind.value}s"
    run(_send(PlatformApi(api_url, api_token), "POST", f"/admin/{place}/{record_id}/restore", None))


@app.command()
def retention(
    tenant_id: Annotated[UUID | None, typer.Option(help="One tenant; without it, all that the caller reaches.")] = None,
    dry_run: DryRun = False,
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Remove what is older than tenants' policies let it be, and print the reports."""
    run(_retention(PlatformApi(api_url, api_token), tenant_id, dry_run))


@app.command()
def export(
    what: Annotated[What, typer.Argument(help="What is exported.")],
    tenant_id: TenantId,
    output: Annotated[
        Path | None,
        typer.Option(
            help="The file; one that is there is gone on with (jsonl), else refused. By default one of today's in the "
            "tenant's folder below TRANSCRIPTS_DIR or TICKETS_DIR, which retention and erasure reach."
        ),
    ] = None,
    format: Annotated[ExportFormat, typer.Option(help="jsonl for programs, csv for people.")] = ExportFormat.JSONL,  # noqa: A002
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Write everything of one kind to a file; run it again to go on after a break."""
    path = output or _usual_place(what, tenant_id, format)
    if format is ExportFormat.CSV and path.exists():
        fail(f"{path} is there already; only a jsonl file is gone on with")
    after = keep_whole_lines(path) if path.exists() else None
    asked = {"tenant_id": str(tenant_id), "format": format.value, **({"after": after} if after else {})}
    run(_export(PlatformApi(api_url, api_token), what, path, asked))


def _usual_place(what: What, tenant_id: UUID, wanted: ExportFormat) -> Path:
    folder = platform_settings().folder("tickets" if what is What.TICKETS else "transcripts") / str(tenant_id)
    if words := anothers(folder.parent):
        fail(words)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{what.value}-{utcnow():%Y-%m-%d}.{wanted.value}"


async def _export(platform: PlatformApi, what: What, output: Path, asked: dict[str, str]) -> int:
    url, patience = platform.url + _EXPORTS[what], aiohttp.ClientTimeout(sock_connect=5, sock_read=60)
    async with platform.open() as http, http.get(url, params=asked, timeout=patience) as answer:
        if answer.status >= 400:
            await answered(answer)
        with output.open("ab") as file:
            async for piece in answer.content.iter_any():
                file.write(piece)
            size = file.tell()
    Console(soft_wrap=True).print(f"{output}: {size} bytes", highlight=False)
    return 0


def keep_whole_lines(path: Path) -> str | None:
    """Cut a line off that did not come whole, and return the id of the one before; None when there is none."""
    whole, last = 0, b""
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            whole, last = whole + len(line), line
        file.truncate(whole)
    return str(orjson.loads(last)["id"]) if last else None


async def _retention(platform: PlatformApi, tenant_id: UUID | None, dry_run: bool) -> int:
    async with platform.open() as http:
        tenants = [str(tenant_id)] if tenant_id else [each["id"] async for each in platform.all(http, "/admin/tenants")]
        failed = 0
        for tenant in tenants:  # one that cannot be cleared now does not hold up the others
            try:
                report = await platform.post(http, f"/admin/tenants/{tenant}/retention/runs", {"dry_run": dry_run})
            except Refused as refused:
                failed += 1
                report = {"error": str(refused)}
            Console(soft_wrap=True).print_json(data={"tenant_id": tenant, **report})
    return 1 if failed else 0


async def _send(platform: PlatformApi, method: str, path: str, body: dict[str, Any] | None) -> int:
    async with platform.open() as http, http.request(method, platform.url + path, json=body) as answer:
        Console(soft_wrap=True).print_json(data=await answered(answer))
    return 0
