"""Opens, changes and answers tickets: rows, clocks, events and mails of a step in one transaction."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import Ticket, TicketComment
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.dialogue.handoff.parts import Agent, Messenger
from chatbot.dialogue.handoff.remarks import remark
from chatbot.dialogue.language import question_language
from chatbot.dialogue.log_repository import EventRow, append
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.transcripts import service as transcripts
from chatbot.dialogue.transcripts.schemas import TranscriptVisitor
from chatbot.dialogue.transcripts.service import Told
from chatbot.dialogue.transcripts.words import word
from chatbot.helpdesk.tickets import letters, repository
from chatbot.helpdesk.tickets.errors import StatusConflict, VersionConflict
from chatbot.helpdesk.tickets.promises import promises
from chatbot.helpdesk.tickets.schemas import ChangeTicket, Priority, Source, Way
from chatbot.identity.mail import Answered, Letter, Mail, new_thread
from chatbot.knowledge.analysis.folding import fold

_NEXT: dict[str, tuple[str, ...]] = {
    "open": ("pending", "solved", "closed"),
    "pending": ("open", "solved", "closed"),
    "solved": ("open", "closed"),
    "closed": ("open",),
}
"""The statuses that follow each."""

_SUBJECT_CHARS = 80


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to open.

    Attributes:
        created_by: the subject's name, or `rule:<id>`.
        requester_name: None: as the conversation knows its visitor.
        subject: None: the first words of the problem.
        brand_id: None: the conversation's, else the tenant's default one.
        session_id: as the client named it; kept also where no conversation is known by it.
        owner: who must have begun the conversation; None for staff, rules and programs of the tenant.
        acknowledge: whether the requester is written that it was opened.
    """

    source: Source
    created_by: str
    problem: str
    requester_name: str | None
    requester_email: str | None = None
    subject: str | None = None
    device: str | None = None
    priority: Priority = "normal"
    brand_id: UUID | None = None
    conversation_id: UUID | None = None
    session_id: str | None = None
    owner: Owner | None = None
    assignee_id: UUID | None = None
    tags: tuple[str, ...] = ()
    acknowledge: bool = True


class TicketDesk:
    """Everything that happens to tickets, for one process."""

    def __init__(self, mail: Mail, messenger: Messenger | None = None, clock: Callable[[], datetime] = utcnow) -> None:
        self._mail = mail
        self._messenger = messenger
        self._clock = clock

    async def open(self, session: TenantSession, wanted: NewTicket) -> Ticket:
        """Open a ticket with the transcript of its conversation.

        Raises:
            NotFound: no such conversation, session of the owner's, brand or assignee.
        """
        told = await _conversation(session, wanted)
        brand_id = await _brand(session, wanted, told)
        await _require_assignee(session, wanted.assignee_id)
        promised = await promises(session)
        ticket = _row(wanted, told, brand_id, promised.policy.default_language)
        ticket.tenant_id, ticket.number = session.tenant_id, await repository.next_number(session)
        promised.begin(ticket, self._clock())
        ticket.search_text = _search_text(ticket)
        session.add(ticket)
        await session.flush()
        await session.refresh(ticket)
        about = {**_about(ticket), "source": ticket.source, "by": ticket.created_by}
        await append(session, [EventRow("ticket.created", about)])
        if wanted.acknowledge:
            await self._write(session, ticket, letters.opened)
        return ticket

    async def change(self, session: TenantSession, ticket_id: UUID, wanted: ChangeTicket, by: str) -> Ticket:
        """Change what is given.

        Raises:
            NotFound: no such ticket or assignee.
            VersionConflict: somebody has changed it since the version named.
            StatusConflict: its status does not lead to the one asked for.
        """
        ticket = await _locked(session, ticket_id)
        if wanted.version not in (None, ticket.version):
            raise VersionConflict(f"version: {wanted.version} is not the newest any more; that is {ticket.version}")
        changed = _changes(ticket, wanted)
        if "assignee_id" in changed:
            await _require_assignee(session, changed["assignee_id"])
        await self._apply(session, ticket, changed, by)
        return ticket

    async def comment(
        self, session: TenantSession, ticket_id: UUID, text: str, author: Agent, *, public: bool, program: bool = False
    ) -> TicketComment:
        """Write a comment; a public one is told to the requester, by mail, else in the conversation, and is a response
        where it reached anybody.

        Args:
            program: no user wrote it.

        Raises:
            NotFound: no such ticket.
        """
        ticket = await _locked(session, ticket_id)
        told_by = await self._tell(session, ticket, author, text) if public else None
        if told_by:
            (await promises(session)).respond(ticket, self._clock())
        ticket.updated_at = self._clock()
        return await _add_comment(session, ticket, TicketComment(
            author_kind="program" if program else "agent", author_id=None if program else author.id,
            author_name=author.name, text=text, public=public, told_by=told_by, files=[],
        ))  # fmt: skip

    async def way_to(self, session: TenantReader, ticket: Ticket) -> Way | None:
        """Return how a public comment would be told to the requester now; None: nobody would be told."""
        if ticket.requester_email and await self._mail.ready(session, ticket.brand_id):
            return "mail"
        return "conversation" if ticket.conversation_id else None

    async def take_answer(self, session: TenantSession, answered: Answered) -> bool:
        """Take a requester's mail as a comment, which opens the ticket again; False when it is of no ticket."""
        ticket = await repository.lock_thread(session, answered.thread)
        if ticket is None:
            return False
        ticket.mail_context = dict(answered.context)
        ticket.updated_at = self._clock()
        await _add_comment(session, ticket, TicketComment(
            author_kind="requester", author_name=(answered.name or answered.address)[:200], text=answered.text,
            public=True, told_by=None, files=[asdict(file) for file in answered.files],
        ))  # fmt: skip
        if ticket.status != "open":
            await self._apply(session, ticket, {"status": "open"}, "requester")
        return True

    async def _apply(self, session: TenantSession, ticket: Ticket, changed: dict[str, Any], by: str) -> None:
        if not changed:
            return
        before = {name: getattr(ticket, name) for name in changed}
        for name, value in changed.items():
            setattr(ticket, name, value)
        promised, now = await promises(session), self._clock()
        if "priority" in changed:
            promised.change_priority(ticket, now)
        if "status" in changed:
            promised.change_status(ticket, before["status"], now)
        ticket.version, ticket.search_text = ticket.version + 1, _search_text(ticket)
        await session.flush()
        await session.refresh(ticket)
        told = {name: [before[name], value] for name, value in changed.items() if name != "subject"}
        about = {**_about(ticket), "by": by}
        events = [EventRow("ticket.updated", {**about, "fields": sorted(changed), "changed": told})]
        if changed.get("status") == "solved":
            events.append(EventRow("ticket.solved", about))
        await append(session, events)
        if changed.get("status") == "solved":
            await self._write(session, ticket, letters.solved)

    async def _tell(self, session: TenantSession, ticket: Ticket, author: Agent, text: str) -> Way | None:
        """Tell the requester what was said; return how."""
        if await self._write(session, ticket, lambda one, _: letters.commented(one, text)):
            return "mail"
        if ticket.conversation_id and await remark(session, ticket.conversation_id, author, text, self._messenger):
            return "conversation"
        return None

    async def _write(self, session: TenantSession, ticket: Ticket, letter: Callable[[Ticket, str], Letter]) -> bool:
        """Write to the requester where there is an address, of theirs and of the brand's."""
        if not ticket.requester_email:
            return False
        brand = await repository.brand_name(session, ticket.brand_id)
        return await self._mail.post(session, ticket.brand_id, letter(ticket, brand))


async def require(session: TenantReader, ticket_id: UUID) -> Ticket:
    """Return a ticket with its transcript.

    Raises:
        NotFound: no such ticket.
    """
    ticket = await repository.get(session, ticket_id, whole=True)
    if ticket is None:
        raise NotFound("no such ticket")
    return ticket


async def _locked(session: TenantSession, ticket_id: UUID) -> Ticket:
    ticket = await repository.lock(session, ticket_id)
    if ticket is None:
        raise NotFound("no such ticket")
    return ticket


async def _conversation(session: TenantReader, wanted: NewTicket) -> Told | None:
    conversation_id = wanted.conversation_id
    if conversation_id is None and wanted.session_id is not None:
        conversation_id = await transcripts.named(session, wanted.session_id, wanted.owner)
        if conversation_id is None and wanted.owner is not None:
            raise NotFound("no such session")
    return await transcripts.read(session, conversation_id, wanted.owner) if conversation_id else None


async def _brand(session: TenantReader, wanted: NewTicket, told: Told | None) -> UUID:
    """The brand asked for, which must be the conversation's if there is one."""
    of_conversation = told.head.brand_id if told else None
    brand_id = await repository.brand_for(session, wanted.brand_id or of_conversation)
    if brand_id is None or of_conversation not in (None, brand_id):
        raise NotFound("no such brand")
    return brand_id


async def _require_assignee(session: TenantReader, assignee_id: UUID | None) -> None:
    if assignee_id is not None and not await repository.assignable(session, assignee_id):
        raise NotFound("no such agent")


async def _add_comment(session: TenantSession, ticket: Ticket, comment: TicketComment) -> TicketComment:
    comment.tenant_id, comment.id, comment.ticket_id = session.tenant_id, new_id(), ticket.id
    session.add(comment)
    await session.flush()
    await session.refresh(comment)
    about = {"comment_id": comment.id, "public": comment.public, "by": comment.author_kind}
    await append(session, [EventRow("ticket.commented", {**_about(ticket), **about})])
    return comment


def _row(wanted: NewTicket, told: Told | None, brand_id: UUID, default_language: str) -> Ticket:
    earlier = told.transcript.language if told else default_language
    visitor = told.transcript.visitor if told else TranscriptVisitor(name=None, email=None)
    language = question_language(wanted.problem, earlier=earlier, locale=None)
    return Ticket(
        id=new_id(),
        brand_id=brand_id,
        conversation_id=told.head.id if told else None,
        session_id=wanted.session_id,
        subject=wanted.subject or first_words(wanted.problem),
        problem=wanted.problem,
        device=wanted.device or None,
        requester_name=wanted.requester_name or visitor.name or word("visitor", language),
        requester_email=wanted.requester_email or visitor.email,
        language=language,
        status="open",
        priority=wanted.priority,
        assignee_id=wanted.assignee_id,
        tags=list(dict.fromkeys(wanted.tags)),
        source=wanted.source,
        created_by=wanted.created_by,
        transcript=[each.model_dump(mode="json") for each in told.transcript.messages] if told else [],
        mail_thread=new_thread(),
    )


def first_words(problem: str) -> str:
    """Return the beginning of a problem as a subject: one line, cut between words."""
    said = " ".join(problem.split())
    if len(said) <= _SUBJECT_CHARS:
        return said
    cut = said[: _SUBJECT_CHARS - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _changes(ticket: Ticket, wanted: ChangeTicket) -> dict[str, Any]:
    """What is asked for and is not so already. Only `assignee_id` can be taken away by null."""
    given = {name: getattr(wanted, name) for name in wanted.model_fields_set - {"version"}}
    given = {name: value for name, value in given.items() if value is not None or name == "assignee_id"}
    if "tags" in given:
        given["tags"] = list(dict.fromkeys(given["tags"]))
    changed = {name: value for name, value in given.items() if value != getattr(ticket, name)}
    status = changed.get("status")
    if status and status not in _NEXT[ticket.status]:
        raise StatusConflict(f"status: {ticket.status} leads to {' or '.join(_NEXT[ticket.status])}, not to {status}")
    return changed


def _search_text(ticket: Ticket) -> str:
    said = (
        f"#{ticket.number}", ticket.subject, ticket.problem, ticket.requester_name, ticket.requester_email,
        ticket.device, *ticket.tags,
    )  # fmt: skip
    return fold(" ".join(part for part in said if part))


def _about(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_id": ticket.id, "number": ticket.number, "brand_id": ticket.brand_id,
        "conversation_id": ticket.conversation_id, "assignee_id": ticket.assignee_id, "status": ticket.status,
        "priority": ticket.priority,
    }  # fmt: skip
