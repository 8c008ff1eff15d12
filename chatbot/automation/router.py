"""Routes of automation."""

from fastapi import APIRouter

from chatbot.automation.jobs import endpoints as jobs
from chatbot.automation.rules import endpoints as rules
from chatbot.automation.switch import endpoints as switch
from chatbot.automation.trials import endpoints as trials
from chatbot.automation.webhooks import endpoints as webhooks

router = APIRouter()
for part in (rules, trials, jobs, switch, webhooks):
    router.include_router(part.router)
router.include_router(switch.ops)
