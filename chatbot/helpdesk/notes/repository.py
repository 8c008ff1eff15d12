"""The rows of notes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chatbot.core import correlation
from chatbot.core.ids import new_id
from chatbot.db.models import Agent, Note
from chatbot.db.sessions import TenantReader, TenantSession

# Without its text: the log is read by programs of the tenant too, and a note is for agents.
_ADD = text("""
WITH added AS (
    INSERT INTO notes (tenant_id, id, conversation_id, agent_id, text, mentions)
    VALUES (:tenant_id, :id, :conversation_id, :agent_id, :text, CAST(:mentions AS uuid[]))
    RETURNING tenant_id, id, conversation_id, agent_id, mentions, created_at
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT tenant_id, 'note.created', jsonb_build_object('note_id', id, 'conversation_id', conversation_id,
           'agent_id', agent_id, 'mentions', to_jsonb(mentions)), :correlation_id FROM added
)
SELECT id, created_at FROM added
""")


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note with its author."""

    id: UUID
    conversation_id: UUID
    author: dict[str, Any]
    text: str
    mentions: list[UUID]
    created_at: datetime


async def add(session: TenantSession, conversation_id: UUID, agent_id: UUID, said: str, mentions: list[UUID]) -> UUID:
    """Add a note and its entry in the event log; return its id."""
    values = {
        "tenant_id": session.tenant_id,
        "id": new_id(),
        "conversation_id": conversation_id,
        "agent_id": agent_id,
        "text": said,
        "mentions": mentions,
        "correlation_id": correlation.current(),
    }
    return UUID(str((await session.execute(_ADD, values)).one()[0]))


async def page(
    session: TenantReader, conversation_id: UUID, *, before: UUID | None, limit: int, only: UUID | None = None
) -> list[NoteRow]:
    """Return notes of a conversation, newest first."""
    query = (
        select(Note.id, Note.conversation_id, Agent.id, Agent.name, Agent.avatar_url, Note.text, Note.mentions,
               Note.created_at)
        .join(Agent, (Agent.tenant_id == Note.tenant_id) & (Agent.id == Note.agent_id))
        .where(Note.tenant_id == session.tenant_id, Note.conversation_id == conversation_id)
        .order_by(Note.id.desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        query = query.where(Note.id < before)
    if only is not None:
        query = query.where(Note.id == only)
    return [_note(row) for row in await session.execute(query)]


def _note(row: Any) -> NoteRow:
    author = dict(zip(("id", "name", "avatar_url"), row[2:5], strict=True))
    return NoteRow(row[0], row[1], author, *row[5:])
