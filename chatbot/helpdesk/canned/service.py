"""Canned replies: kept by their shortcut, and rendered for a conversation."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from chatbot.core.errors import Conflict, NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import CannedReply
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.dialogue.handoff.parts import Agent
from chatbot.helpdesk.canned import repository
from chatbot.helpdesk.canned.schemas import VARIABLES, ChangeCannedReply, NewCannedReply
from chatbot.helpdesk.conversations import service as conversations
from chatbot.identity.audit.acting import note

_VARIABLE = re.compile(r"\{\{\s*([a-z]+\.[a-z]+)\s*\}\}")


class ShortcutTaken(Conflict):
    """Another canned reply of the brand has this shortcut."""

    code = "shortcut_taken"
    title = "Another canned reply has this shortcut"


async def add(session: TenantSession, wanted: NewCannedReply) -> CannedReply:
    """Add a canned reply.

    Raises:
        NotFound: no such brand.
        ShortcutTaken: the brand has one with this shortcut.
    """
    if wanted.brand_id is not None and await repository.brand_name(session, wanted.brand_id) is None:
        raise NotFound("no such brand")
    row = CannedReply(id=new_id(), **wanted.model_dump())
    session.add(row)
    note(target=f"canned_reply:{row.id}")
    return await _stored(session, row)


async def change(session: TenantSession, reply_id: UUID, wanted: ChangeCannedReply) -> CannedReply:
    """Change a canned reply.

    Raises:
        NotFound: there is none.
        ShortcutTaken: the brand has another with this shortcut.
    """
    row = await require(session, reply_id)
    for name, value in wanted.model_dump(exclude_unset=True).items():
        if value is not None or name == "language":
            setattr(row, name, value)
    return await _stored(session, row)


async def require(session: TenantReader, reply_id: UUID) -> CannedReply:
    """Return a canned reply.

    Raises:
        NotFound: there is none.
    """
    row = await repository.get(session, reply_id)
    if row is None:
        raise NotFound("no such canned reply")
    return row


async def rendered(session: TenantReader, reply_id: UUID, conversation_id: UUID, agent: Agent) -> str:
    """Return a canned reply's text for a conversation; a name that is not known is left out.

    Raises:
        NotFound: no such canned reply, or no such conversation.
    """
    row = await require(session, reply_id)
    return fill(row.text, (await values_of(session, conversation_id)).spoken_by(agent.name))


@dataclass(frozen=True, slots=True)
class Values:
    """What is put in for the variables in a conversation."""

    visitor: str
    brand: str
    conversation: str

    def spoken_by(self, agent: str) -> dict[str, str]:
        """Return the value of each variable where an agent of this name speaks."""
        return dict(zip(VARIABLES, (self.visitor, agent, self.brand, self.conversation), strict=True))


async def values_of(session: TenantReader, conversation_id: UUID) -> Values:
    """Return what is put in for the variables in a conversation.

    Raises:
        NotFound: no such conversation.
    """
    conversation = await conversations.one(session, conversation_id)
    return Values(str(conversation.visitor.get("name") or ""), conversation.brand_name, str(conversation.id))


async def texts_of(session: TenantReader, reply_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the texts of canned replies, with one statement; those that are not there are left out."""
    return await repository.texts(session, reply_ids) if reply_ids else {}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in for their variables, each once: what a value says is text, whatever it looks like."""
    return _VARIABLE.sub(lambda found: values.get(found.group(1), found.group()), text)


async def _stored(session: TenantSession, row: CannedReply) -> CannedReply:
    try:
        await session.flush()
    except IntegrityError as error:
        raise ShortcutTaken from error
    await session.refresh(row)
    return row
