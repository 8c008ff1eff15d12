"""Shows what a question finds on a running platform: results, evidence and stages."""

import asyncio
import sys
from typing import Annotated, Any
from uuid import UUID

import aiohttp
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chatbot.core.settings import ConfigurationError, load_settings
from chatbot.identity.cli_token import mint
from chatbot.identity.subject import Role

_EXCERPT = 100
_TIMEOUT_SECONDS = 60


class DiagnosisFailed(Exception):
    """The platform did not answer as hoped; the message says what it said."""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def show(
    tenant_id: Annotated[UUID, typer.Option(help="The tenant.")],
    query: Annotated[str, typer.Option(help="The question, as a visitor would ask it.")],
    brand_id: Annotated[UUID | None, typer.Option(help="The brand searched; by default the tenant's own.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages shown.")] = 10,
    api_url: Annotated[str, typer.Option(help="The orchestrator; by default the one on this machine.")] = "",
    api_token: Annotated[str, typer.Option(help="An admin token; by default minted from this machine's keys.")] = "",
) -> None:
    """Look a question up and print every stage."""
    brand = str(brand_id) if brand_id else None
    body = {"tenant_id": str(tenant_id), "brand_id": brand, "query": query, "limit": limit}
    try:
        settings = load_settings()
        url = api_url or f"http://{settings.host}:{settings.orchestrator_port}"
        token = api_token or mint(settings, Role.PLATFORM_ADMIN, None)
        report = asyncio.run(_ask(url, token, body))
    except (ConfigurationError, DiagnosisFailed, aiohttp.ClientError, TimeoutError) as error:
        sys.stderr.write(f"retrieval: {error}\n")
        raise typer.Exit(1) from None
    _print(report, Console())


async def _ask(api_url: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    url = f"{api_url.rstrip('/')}/admin/diagnostics/retrieval"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=timeout) as http,
        http.post(url, json=body) as answer,
    ):
        payload: dict[str, Any] = await answer.json(content_type=None)
        if answer.status != 200:
            raise DiagnosisFailed(f"the platform answered {answer.status}: {payload.get('detail')}")
        return payload


def _print(report: dict[str, Any], console: Console) -> None:
    verdict = "answerable" if report["answerable"] else "not answerable"
    console.print(f"[bold]{escape(report['query'])}[/] ({report['language']})")
    console.print(f"evidence {report['evidence']:.2f}, {verdict}, {report['took_ms']:.1f} ms")
    results = Table("rank", "score", "words", "vector", "cut", "title", "passage")
    for result in report["results"]:
        vector = result["vector_score"]
        results.add_row(
            str(result["rank"]),
            f"{result['score']:.3f}",
            f"{result['lexical_score']:.2f}",
            "" if vector is None else f"{vector:.3f}",
            result["cut"] or "",
            escape(result["title"]),
            escape(result["passage"][:_EXCERPT]),
        )
    console.print(results)
    stages = Table("stage", "ms", "detail")
    for stage in report["stages"]:
        stages.add_row(stage["name"], f"{stage['took_ms']:.1f}", escape(_summary(stage["detail"])))
    console.print(stages)


def _summary(detail: dict[str, Any]) -> str:
    """Lists are told by their length, everything else as it is."""
    return ", ".join(
        f"{name}={len(value)} items" if isinstance(value, list) else f"{name}={value}" for name, value in detail.items()
    )
