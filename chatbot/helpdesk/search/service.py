"""Finds conversations by what was said in them."""

from uuid import UUID

from chatbot.db.sessions import TenantReader
from chatbot.helpdesk.conversations import repository as conversations
from chatbot.helpdesk.conversations import service as views
from chatbot.helpdesk.conversations.repository import Wanted
from chatbot.helpdesk.search import repository
from chatbot.helpdesk.search.repository import Hit
from chatbot.helpdesk.search.schemas import FoundConversation, HitView, SearchResult
from chatbot.helpdesk.search.terms import snippet, wanted_terms

_CONVERSATIONS = 20
_HITS = 3
_MESSAGES = 300
_NARROWED = 2_000


async def search(session: TenantReader, question: str, me: UUID) -> SearchResult:
    """Return the conversations with the newest messages that hold all words of a question."""
    found: dict[UUID, list[Hit]] = {}
    for hit in await repository.find(session, wanted_terms(session.tenant_id, question), _MESSAGES):
        found.setdefault(hit.conversation_id, []).append(hit)
    ids = list(found)[:_CONVERSATIONS]
    rows = await conversations.page(session, Wanted("all", me, ids=ids), len(ids)) if ids else []
    shown = {row.fields["id"]: views.view(row) for row in rows}
    items = [
        FoundConversation(conversation=shown[each], hits=[_view(hit, question) for hit in found[each][:_HITS]])
        for each in ids
        if each in shown
    ]
    return SearchResult(items=items)


async def found_conversations(session: TenantReader, question: str) -> list[UUID]:
    """Return the conversations in which all words of a question were said in one message."""
    hits = await repository.find(session, wanted_terms(session.tenant_id, question), _NARROWED)
    return list(dict.fromkeys(hit.conversation_id for hit in hits))


def _view(hit: Hit, question: str) -> HitView:
    return HitView(message_id=hit.message_id, seq=hit.seq, role=hit.role, snippet=snippet(hit.text, question))
