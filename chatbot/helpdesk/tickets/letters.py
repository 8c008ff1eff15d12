"""What requesters are written about their tickets: that one was opened, what was said about it, that it is solved."""

from chatbot.core.localized import number
from chatbot.db.models import Ticket
from chatbot.helpdesk.tickets.words import word
from chatbot.identity.mail import Letter


def opened(ticket: Ticket, brand: str) -> Letter:
    """Return the letter that a ticket was opened.

    It holds nothing that was entered with it: whoever gives an address need not own it.
    """
    return _letter(ticket, _said("mail_opened", ticket, brand))


def solved(ticket: Ticket, brand: str) -> Letter:
    """Return the letter that a ticket is solved."""
    return _letter(ticket, _said("mail_solved", ticket, brand))


def commented(ticket: Ticket, text: str) -> Letter:
    """Return a public comment as a letter; its text is Markdown."""
    return _letter(ticket, text, by_person=True)


def _said(name: str, ticket: Ticket, brand: str) -> str:
    said = word(name, ticket.language)  # type: ignore[arg-type]
    return said.format(number=number(ticket.number, ticket.language), brand=brand)


def _letter(ticket: Ticket, text: str, *, by_person: bool = False) -> Letter:
    return Letter(
        to=ticket.requester_email or "",
        name=ticket.requester_name,
        subject=word("mail_subject", ticket.language).format(number=number(ticket.number, ticket.language)),
        text=text,
        thread=ticket.mail_thread,
        lane=f"ticket:{ticket.id}",
        answers=ticket.mail_context,
        language=ticket.language,
        by_person=by_person,
    )
