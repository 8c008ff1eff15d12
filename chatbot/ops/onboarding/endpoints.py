"""`/admin/onboarding`: how far a tenant is on the way from nothing to a widget that answers."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant
from chatbot.ops.onboarding.repository import StepsDone, steps_done
from chatbot.ops.onboarding.schemas import OnboardingView, StepView

router = APIRouter(tags=["onboarding"])

_WORDS = {
    "knowledge": ("A source is read and answers.", "Add a document, a page or a question with its answer."),
    "persona": ("A policy is saved.", "Say who the bot is, and save it."),
    "channel": ("Visitors can come in.", "Say on which pages the chat may appear, or connect a messenger."),
    "widget": ("A visitor came in through the widget.", "Put the snippet on a page and open the chat there."),
    "first_answer": ("A question was answered from the knowledge.", "Ask something that the knowledge answers."),
}
"""Of each step: what was found when it is done, and what to do until then."""

_PAGES = {
    "knowledge": "knowledge", "persona": "persona", "channel": "channels", "widget": "channels",
    "first_answer": "persona",
}  # fmt: skip


@router.get("/admin/onboarding")
async def get_onboarding(tenant_id: UUID, caller: Caller, db: Db) -> OnboardingView:
    """The first five steps, each looked up where doing it leaves a row."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        found = await steps_done(session)
    return OnboardingView(steps=_steps(found, tenant_id), done=all(found))


def _steps(found: StepsDone, tenant_id: UUID) -> list[StepView]:
    return [
        StepView.model_validate(
            {
                "id": step,
                "done": done,
                "words": _WORDS[step][0 if done else 1],
                "link": f"/console/t/{tenant_id}/{_PAGES[step]}",
            }
        )
        for step, done in found._asdict().items()
    ]
