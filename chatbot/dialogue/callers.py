"""What a caller's message becomes, and what a caller may see: the same over HTTP and over sockets."""

from hashlib import sha256
from uuid import UUID

from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.ownership import Owner
from chatbot.identity.subject import Role, Subject


def incoming_of(
    subject: Subject,
    text: str,
    *,
    conversation_id: UUID | None,
    brand_id: UUID | None,
    locale: str | None,
    client_message_id: str | None,
) -> Incoming:
    """Return a subject's message for the web channel of its brand.

    Raises:
        NotFound: the brand is not the one that the visitor's token is for.
    """
    assert subject.tenant_id
    return Incoming(
        subject.tenant_id,
        text,
        subject.name,
        _session_key(subject, client_message_id),
        conversation_id=conversation_id,
        any_owner=may_write_for_others(subject, subject.tenant_id),
        brand_id=_brand(subject, brand_id),
        visitor=subject.visitor,
        locale=locale,
        client_message_id=client_message_id,
    )


def may_write_for_others(subject: Subject, tenant_id: UUID) -> bool:
    """Whether the subject may write in conversations of others."""
    return subject.role_in(tenant_id) in (Role.AGENT, Role.TENANT_ADMIN, Role.PLATFORM_ADMIN)


def only_owner(subject: Subject) -> Owner | None:
    """Agents and those above see all of the tenant (None); everybody else what is theirs, visitors with their brand."""
    assert subject.tenant_id
    return None if may_write_for_others(subject, subject.tenant_id) else owner_of(subject)


def owner_of(subject: Subject) -> Owner:
    """Who a subject is in conversations that it began."""
    return Owner(frozenset((subject.name, *subject.same_program)), subject.brand_id)


def _session_key(subject: Subject, client_message_id: str | None) -> str:
    """A conversation's key: of its first message's client id, so that repeating the first request finds it again."""
    first = client_message_id or str(new_id())
    return f"first:{sha256(f'{subject.name}/{first}'.encode()).hexdigest()}"


def _brand(subject: Subject, asked: UUID | None) -> UUID | None:
    """A visitor's token is for one brand; others choose."""
    if subject.brand_id and asked not in (None, subject.brand_id):
        raise NotFound("no such brand, or it has no such channel")
    return subject.brand_id or asked
