"""`xin audit verify`: whether the audit log's chains hold, a line each."""

from uuid import UUID

from rich.console import Console

from chatbot.db.sessions import Database
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.audit.reading import AuditReader, Verdict


async def verify(database_url: str, tenant_id: UUID | None) -> bool:
    """Print what became of one chain, or of all; return whether all hold."""
    console = Console(soft_wrap=True)
    async with Database(database_url, pool_size=1) as database:
        reader = AuditReader(database)
        verdicts = [await reader.verify(chain) for chain in ([tenant_id] if tenant_id else await reader.chains())]
    for verdict in verdicts:
        console.print(_line(verdict), highlight=False)
    return all(verdict.broken_at is None for verdict in verdicts)


def _line(verdict: Verdict) -> str:
    name = "platform" if verdict.tenant_id == PLATFORM else f"tenant {verdict.tenant_id}"
    if verdict.broken_at is None:
        return f"[green]ok[/]     {name}: {verdict.rows} rows, head {verdict.head}"
    return f"[red]broken[/] {name}: {verdict.words}; {verdict.rows} rows before it hold"
