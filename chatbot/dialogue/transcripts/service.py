"""Reads transcripts: a visitor's own, any of the tenant's, or one by the name of its session; and mails them."""

from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from chatbot.core.errors import NotFound
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.dialogue.ownership import Begun, Owner, may_see
from chatbot.dialogue.transcripts import repository
from chatbot.dialogue.transcripts.rendering import as_markdown
from chatbot.dialogue.transcripts.repository import Head, Line
from chatbot.dialogue.transcripts.schemas import (
    Role,
    SessionTranscript,
    Transcript,
    TranscriptMessage,
    TranscriptSource,
    TranscriptVisitor,
)
from chatbot.dialogue.transcripts.words import word
from chatbot.identity.mail import Letter, Mail, MailNotSetUp, new_thread
from chatbot.identity.policies.schemas import UNNAMED, TenantPolicy
from chatbot.identity.policies.service import current_policy

MAX_MESSAGES = 2_000


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation as its rows tell of it, as a transcript, and the tenant's time zone."""

    head: Head
    transcript: Transcript
    zone: ZoneInfo


async def read(session: TenantReader, conversation_id: UUID, owner: Owner | None = None) -> Told:
    """Return a conversation of the session's tenant.

    Args:
        owner: who must have begun it; None for staff and programs of the tenant.

    Raises:
        NotFound: no such conversation, or it is another visitor's.
    """
    head = await repository.head(session, conversation_id)
    if head is None or not may_see(owner, Begun(head.owner or "", head.brand_id)):
        raise NotFound("no such conversation")
    lines = await repository.lines(session, conversation_id, MAX_MESSAGES)
    policy = await current_policy(session)
    language = spoken(head, policy)
    names = _names(head, policy, language)
    told = Transcript(
        conversation_id=head.id,
        brand_name=head.brand_name,
        channel_type=head.channel_type,
        state=head.state,
        language=language,
        visitor=visitor_of(head),
        created_at=head.created_at,
        closed_at=head.closed_at,
        omitted=lines[0].seq - 1 if len(lines) == MAX_MESSAGES else 0,
        messages=[_message(each, names) for each in lines],
    )
    return Told(head, told, ZoneInfo(head.timezone))


async def named(session: TenantReader, session_id: str, owner: Owner | None) -> UUID | None:
    """As `repository.named`."""
    return await repository.named(session, session_id, owner)


async def read_session(session: TenantReader, session_id: str) -> SessionTranscript:
    """Return a conversation by the name of its session, or by its id.

    Raises:
        NotFound: nobody has spoken in such a session.
    """
    conversation_id = await named(session, session_id, None)
    if conversation_id is None:
        raise NotFound("no such session")
    told = (await read(session, conversation_id)).transcript
    return SessionTranscript(
        sessionId=session_id,
        conversationId=conversation_id,
        createdAt=told.created_at,
        state=told.state,
        transcript=told.messages,
    )


async def require_mail(session: TenantReader, post: Mail, told: Told) -> None:
    """Raise `MailNotSetUp` when the conversation's brand has no address to write from."""
    if not await post.ready(session, told.head.brand_id):
        raise MailNotSetUp("this brand has no e-mail channel that is switched on")


async def mail(session: TenantSession, post: Mail, told: Told, address: str) -> None:
    """Put a transcript on its way to an address, in the session's transaction."""
    transcript = told.transcript
    letter = Letter(
        to=address,
        name=transcript.visitor.name or "",
        subject=word("mail_subject", transcript.language).format(brand=transcript.brand_name),
        text=as_markdown(transcript, told.zone),
        thread=new_thread(),
        lane=f"transcript:{told.head.id}",
        language=transcript.language,
    )
    await post.post(session, told.head.brand_id, letter)


def visitor_of(head: Head) -> TranscriptVisitor:
    """Return who asked, as a host page or a messenger told it."""
    address = head.visitor.get("email") or head.visitor.get("address") or ""
    return TranscriptVisitor(name=head.visitor.get("name") or None, email=address if "@" in address else None)


def spoken(head: Head, policy: TenantPolicy) -> str:
    """Return the language of a conversation: what the visitor writes, else the page's, else the tenant's."""
    return head.language or (head.locale or policy.default_language).replace("_", "-").partition("-")[0].lower()


def _names(head: Head, policy: TenantPolicy, language: str) -> dict[str, str]:
    own = {"visitor": head.visitor.get("name"), "bot": None if policy.persona.name == UNNAMED else policy.persona.name}
    return {role: own.get(role) or word(role, language) for role in get_args(Role)}


def _message(line: Line, names: dict[str, str]) -> TranscriptMessage:
    return TranscriptMessage(
        seq=line.seq,
        role=line.role,
        name=line.name or names[line.role],
        text=line.text,
        sources=[_source(citation) for citation in line.citations],
        files=line.files,
        created_at=line.created_at,
    )


def _source(citation: dict[str, Any]) -> TranscriptSource:
    return TranscriptSource(index=citation["index"], title=citation["title"], url=citation.get("url"))
