"""The endpoints of tickets together."""

from fastapi import APIRouter

from chatbot.helpdesk.tickets.endpoints import router as tickets
from chatbot.helpdesk.tickets.export import router as export
from chatbot.helpdesk.tickets.files import router as files

router = APIRouter()
for part in (export, files, tickets):  # `export` would be a ticket's id otherwise
    router.include_router(part)
