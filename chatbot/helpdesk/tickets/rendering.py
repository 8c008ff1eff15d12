"""A ticket as text, in the language of its requester, and as a row of an export."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from chatbot.core.localized import day_and_time, isolate, line, number
from chatbot.dialogue.transcripts.rendering import message_lines
from chatbot.helpdesk.tickets.schemas import CommentView, SlaView, TicketDetail, TicketView
from chatbot.helpdesk.tickets.words import word

CSV_HEADER = (
    "number", "id", "status", "priority", "subject", "problem", "device", "requester_name", "requester_email",
    "assignee", "tags", "sla", "first_response_due_at", "first_responded_at", "resolution_due_at", "resolved_at",
    "source", "conversation_id", "created_at", "updated_at",
)  # fmt: skip


def as_text(ticket: TicketDetail, zone: ZoneInfo) -> str:
    """Return a ticket as a text: what it is, the problem, the conversation before it and the comments since."""
    language = ticket.language
    lines = [line(word("ticket", language).format(number=number(ticket.number, language)), language)]
    lines += [line(f"{label}: {value}", language) for label, value in _fields(ticket, zone)]
    lines += ["", line(f"{word('problem', language)}:", language), *ticket.problem.splitlines()]
    if ticket.transcript:
        lines += ["", _title("transcript", language), *message_lines(ticket.transcript, language, zone)]
    if ticket.comments:
        lines += ["", _title("comments", language)]
    for comment in ticket.comments:
        lines += _comment(comment, language, zone)
    return "\n".join(lines) + "\n"


def as_row(ticket: TicketView) -> tuple[object, ...]:
    """Return a ticket as a row under `CSV_HEADER`."""
    sla = ticket.sla
    times = (
        (sla.first_response_due_at, sla.first_responded_at, sla.resolution_due_at, sla.resolved_at)
        if sla
        else (None,) * 4
    )
    return (
        ticket.number, ticket.id, ticket.status, ticket.priority, ticket.subject, ticket.problem, ticket.device,
        ticket.requester.name, ticket.requester.email, ticket.assignee and ticket.assignee.name,
        ", ".join(ticket.tags), sla and sla.state, *map(_iso, times), ticket.source, ticket.conversation_id,
        _iso(ticket.created_at), _iso(ticket.updated_at),
    )  # fmt: skip


def _fields(ticket: TicketDetail, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    language = ticket.language
    yield word("subject", language), isolate(ticket.subject, language)
    yield word("status", language), word(ticket.status, language)
    yield word("priority", language), word(ticket.priority, language)
    known = [part for part in (ticket.requester.name, ticket.requester.email) if part]
    yield word("requester", language), " · ".join(isolate(part, language) for part in known)
    yield word("device", language), isolate(ticket.device, language) if ticket.device else word("none", language)
    yield word("session", language), isolate(ticket.sessionId or "—", language)
    yield word("opened", language), day_and_time(ticket.created_at.astimezone(zone), language)
    if ticket.sla:
        yield from _promises(ticket.sla, language, zone)
    yield word("id", language), isolate(str(ticket.id), language)


def _promises(sla: SlaView, language: str, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    clocks = (
        (word("first_response", language), sla.first_response_due_at, sla.first_responded_at),
        (word("resolution", language), sla.resolution_due_at, sla.resolved_at),
    )
    for name, due_at, met_at in clocks:
        if moment := met_at or due_at:
            said = word("done" if met_at else "until", language)
            yield name, said.format(when=day_and_time(moment.astimezone(zone), language))


def _comment(comment: CommentView, language: str, zone: ZoneInfo) -> list[str]:
    inside = "" if comment.public else f" ({word('internal', language)})"
    when = day_and_time(comment.created_at.astimezone(zone), language)
    head = f"[{when}] {isolate(comment.author_name, language)}{inside}"
    return [
        "",
        line(head, language),
        *comment.text.splitlines(),
        *(isolate(file.name, language) for file in comment.files),
    ]


def _title(name: str, language: str) -> str:
    return line(f"== {word(name, language)} ==", language)  # type: ignore[arg-type]


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
