"""Fills the search from the event log, beside the turns: no turn waits for it, and old messages come by themselves."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import orjson

from chatbot.db.apart import apart
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue import log_repository
from chatbot.helpdesk.search import repository
from chatbot.helpdesk.search.terms import stored_terms

_READER = "message-search"
_PIECE = 200
_NAMES = ("message.received", "message.sent", "message.edited", "message.deleted")


async def index_news(database: Database) -> int:
    """Analyse what was said since the last look, in every tenant; return how many messages that were."""
    async with database.platform() as session:
        tenants = await repository.behind(session, _READER)
    found = 0
    for tenant_id in tenants:
        work = partial(_index_piece, database, tenant_id)
        while (piece := await apart(tenant_id, "what was said in it, for searching", work)) is not None:
            found += piece
    return found


async def _index_piece(database: Database, tenant_id: UUID) -> int | None:
    """Analyse one piece of a tenant's log; None when nothing final is left.

    Terms and cursor are stored together, so a piece is done once or again, never half.
    """
    async with database.tenant(tenant_id) as session:
        txid, event_id = await log_repository.cursor(session, _READER)
        horizon, entries = await log_repository.entries_after(session, txid, event_id, _PIECE)
        final = [entry for entry in entries if entry.txid < horizon]
        if not final:
            return None
        named = [entry.payload.get("message_id") for entry in final if entry.name in _NAMES]
        ids = [UUID(each) for each in dict.fromkeys(named) if each]
        if ids:
            await _index(session, ids)
        await log_repository.move_cursor(session, _READER, final[-1])
        return len(ids)


async def _index(session: TenantSession, ids: Sequence[UUID]) -> None:
    texts = await repository.texts(session, ids)
    terms = await asyncio.to_thread(lambda: [stored_terms(session.tenant_id, text) for _, text in texts])
    rows = [{"id": message_id, "terms": each} for (message_id, _), each in zip(texts, terms, strict=True)]
    await repository.put_terms(session, orjson.dumps(rows).decode())
