"""The help desk's endpoints together."""

from fastapi import APIRouter

from chatbot.helpdesk.agents.endpoints import router as agents
from chatbot.helpdesk.canned.endpoints import router as canned
from chatbot.helpdesk.conversations.endpoints import router as conversations
from chatbot.helpdesk.drafts.endpoints import router as drafts
from chatbot.helpdesk.floor.endpoints import router as floor
from chatbot.helpdesk.live.endpoints import router as live
from chatbot.helpdesk.notes.endpoints import router as notes
from chatbot.helpdesk.search.endpoints import router as search

router = APIRouter()
for part in (conversations, floor, notes, drafts, agents, canned, search, live):
    router.include_router(part)
