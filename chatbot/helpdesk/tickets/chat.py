"""Tickets that the bot opens because its visitor asked for one in words."""

from chatbot.db.sessions import Database
from chatbot.dialogue.parts import Turn
from chatbot.helpdesk.tickets import repository
from chatbot.helpdesk.tickets.service import NewTicket, TicketDesk

_MAX_TICKETS = 5
"""Of one conversation; whoever asks for more is told the last one's number."""


class ChatTickets:
    """Opens tickets for turns (as `dialogue.parts.TicketOpener`)."""

    def __init__(self, database: Database, desk: TicketDesk) -> None:
        self._database = database
        self._desk = desk

    async def open_for(self, turn: Turn, problem: str) -> int:
        """Open a ticket of a turn's conversation and return its number; about the same problem there is one already."""
        by = f"{repository.TURN}:{turn.question_id}"
        async with self._database.tenant(turn.tenant_id) as session:
            known = await repository.opened_by_bot(session, turn.conversation_id)
            same = [ticket for ticket in known if by == ticket.created_by or problem == ticket.problem]
            if same or len(known) >= _MAX_TICKETS:
                return (same or known)[0].number
            wanted = NewTicket("visitor", by, problem, None, conversation_id=turn.conversation_id)
            return (await self._desk.open(session, wanted)).number
