"""A word that nobody else says, planted wherever a visitor can leave one, and looked for wherever it could be left."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import (
    Agent,
    Attachment,
    AutomationJob,
    AutomationRule,
    AutomationVariables,
    ChannelState,
    Conversation,
    CsatRating,
    Delivery,
    DeliveryAttempt,
    Event,
    GapGroup,
    Handoff,
    InboundEvent,
    KnowledgeGap,
    Message,
    MessageTerms,
    Note,
    Ticket,
    TicketComment,
    TurnTrace,
    UsageRecord,
    Visitor,
)
from chatbot.db.sessions import Database
from tests.conftest import TenantRows

CANARY = "kanarienvogel7391"
EMAIL = f"{CANARY}@example.com"
SUBJECT = f"visitor:{CANARY}"


class Planted:
    """The ids of what was planted."""

    def __init__(self) -> None:
        self.conversation = new_id()
        self.ticket = new_id()
        self.loose_ticket = new_id()
        self.message = new_id()
        self.reply = new_id()
        self.files = [f"attachments/{new_id()}/{new_id()}" for _ in range(2)]


async def plant(database: Database, tenant: TenantRows, *, word: str = CANARY) -> Planted:
    """Insert a row of every kind that a visitor's words can stand in."""
    ids, own = Planted(), {"tenant_id": tenant.id}
    email, subject = f"{word}@example.com", f"visitor:{word}"
    talk = {"conversation_id": ids.conversation}
    agent, rule, delivery, group = new_id(), new_id(), new_id(), new_id()
    async with database.tenant(tenant.id) as session:
        session.add_all(
            [
                Agent(**own, id=agent, name="Agent"),
                AutomationRule(
                    **own, id=rule, name="Rule", trigger={}, conditions={}, actions=[], created_by="cli", brand_id=None
                ),
                ChannelState(**own, id=tenant.channel_id, last_error=f"{email} does not exist"),
                GapGroup(
                    **own, id=group, brand_id=tenant.brand_id, group_key=word, question=f"where is {word}", evidence=0,
                    asked=1, first_asked_at=utcnow(), last_asked_at=utcnow(),
                ),
                Conversation(
                    **own, id=ids.conversation, brand_id=tenant.brand_id, channel_id=tenant.channel_id,
                    session_key=f"session:{word}", tags=[word], handoff_reason=word, state="closed",
                    visitor={"subject": subject, "email": email, "name": word, "title": word, "plan": {"is": word}},
                ),
                Visitor(**own, subject=subject, fields={"email": email, "company": word}),
            ]
        )  # fmt: skip
        await session.flush()
        session.add_all(_messages(own, ids, tenant.channel_id, word))
        await session.flush()
        session.add_all(
            [
                MessageTerms(**own, message_id=ids.message, terms=[1]),
                TurnTrace(**own, id=ids.reply, **talk, question_id=ids.message, trace={"prompt": word}),
                CsatRating(**own, **talk, channel_id=tenant.channel_id, closed_at=utcnow(), score=1, comment=word),
                Note(**own, **talk, agent_id=agent, text=f"called {word}"),
                Handoff(**own, **talk, requested_by="visitor", reason=word),
                AutomationVariables(**own, id=ids.conversation, values={"said": word}),
                AutomationJob(
                    **own, rule_id=rule, rule_version=1, firing=str(new_id()), actions=[{"text": word}], **talk,
                    event={"payload": {"said": word}}, results=[{"sent": word}],
                ),
                KnowledgeGap(
                    **own, brand_id=tenant.brand_id, group_id=group, **talk, message_id=ids.message,
                    question=f"where is {word}", evidence=0.0,
                ),
                UsageRecord(
                    **own, message_id=ids.reply, purpose="answer", model="m", outcome="ok", input_tokens=3,
                    output_tokens=4, cost_micros=5, milliseconds=6,
                ),
                *_tickets(own, ids, tenant.brand_id, word),
                *_traffic(own, ids, tenant.channel_id, delivery, word),
            ]
        )  # fmt: skip
        await session.flush()
        session.add(
            DeliveryAttempt(**own, delivery_id=delivery, number=1, outcome="failed", words=f"no {word}", took_ms=1)
        )
        session.add(
            TicketComment(
                **own, ticket_id=ids.ticket, author_kind="requester", author_name=word, text=word, public=True,
                files=[{"name": f"{word}.pdf", "mime": "application/pdf", "size": 1, "blob_key": ids.files[1]}],
            )
        )  # fmt: skip
    return ids


def _messages(own: dict[str, Any], ids: Planted, channel_id: UUID, word: str) -> list[Message]:
    talk = {**own, "conversation_id": ids.conversation, "channel_id": channel_id}
    return [
        Message(
            **talk, id=ids.message, seq=1, role="visitor", text=f"I am {word}", content={"contacts": [word]},
            client_message_id=word, provider_event_id=f"event-{word}", provider_message_id=f"message-{word}",
        ),
        Message(**talk, id=ids.reply, seq=2, role="bot", text=f"Hello {word}", reply_to=ids.message),
    ]  # fmt: skip


def _tickets(own: dict[str, Any], ids: Planted, brand_id: UUID, word: str) -> list[Ticket]:
    about = {
        **own, "brand_id": brand_id, "subject": word, "problem": word, "device": word, "requester_name": word,
        "requester_email": f"{word}@example.com", "language": "en", "source": "visitor", "created_by": word,
        "transcript": [_line(word)], "search_text": word, "tags": [word],
    }  # fmt: skip
    return [
        Ticket(**about, id=ids.ticket, number=1, conversation_id=ids.conversation, mail_thread=f"{1:026}"),
        Ticket(**about, id=ids.loose_ticket, number=2, mail_thread=f"{2:026}", session_id=word),
    ]


def _line(word: str) -> dict[str, Any]:
    return {"seq": 1, "role": "visitor", "name": word, "text": word, "created_at": utcnow().isoformat()}


def _traffic(own: dict[str, Any], ids: Planted, channel_id: UUID, delivery: UUID, word: str) -> list[Any]:
    channel, talk = {**own, "channel_id": channel_id}, {"conversation_id": ids.conversation}
    return [
        InboundEvent(
            **channel, **talk, message_id=ids.message, provider_event_id=f"event-{word}", kind="message",
            thread=f"thread-{word}", context={"from": word}, payload={"text": word},
        ),
        InboundEvent(**channel, provider_event_id=f"follow-{word}", kind="follow", thread=f"thread-{word}"),
        InboundEvent(
            **channel, provider_event_id=f"mail-{word}", kind="mail", thread="another",
            payload={"from": f"{word}@example.com"},
        ),
        Delivery(
            **channel, **talk, id=delivery, lane=str(ids.conversation), message_id=ids.reply, action="send",
            body={"to": word}, due_at=utcnow(), status="dead", last_error=f"no {word}",
        ),
        Delivery(
            **channel, lane=f"ticket:{ids.ticket}", action="mail", body={"to": f"{word}@example.com"}, due_at=utcnow(),
            status="sent",
        ),
        Attachment(
            **channel, message_id=ids.message, kind="file", provider_ref=word, name=f"{word}.pdf", status="stored",
            blob_key=ids.files[0],
        ),
        Event(**own, name="message.received", payload={"conversation_id": str(ids.conversation), "text": word}),
        Event(**own, name="visitor.followed", payload={"channel_id": str(channel_id), "thread": f"thread-{word}"}),
        Event(**own, name="ticket.commented", payload={"ticket_id": str(ids.loose_ticket), "by": word}),
    ]  # fmt: skip


def found_in_tables(database_url: str, word: str = CANARY) -> list[str]:
    """Return every column of every table in which the word stands, as text, JSON, an array's part or bytes."""
    places = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        columns = connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
        ).fetchall()
        for table, column, kind in columns:
            name = sql.Identifier(column)
            shown = sql.SQL("encode({}, 'escape')" if kind == "bytea" else "{}::text").format(name)
            query = sql.SQL("SELECT count(*) FROM {} WHERE {} ILIKE {}").format(
                sql.Identifier(table), shown, sql.Literal(f"%{word}%")
            )
            row = connection.execute(query).fetchone()
            if row and row[0]:
                places.append(f"{table}.{column}")
    return sorted(places)


def found_in_files(folder: Path, word: str = CANARY) -> list[str]:
    """Return every file below a folder in which the word stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in files if word.encode() in path.read_bytes().lower())


def log_line(word: str) -> bytes:
    """A line of a log that should never have been written."""
    return orjson.dumps({"event": "something of a library", "about": f"{word}@example.com"}) + b"\n"
