"""A turn that is only tried: the same stages by the given documents, and nothing of it is kept but what it cost."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chatbot.core.errors import InvalidInput
from chatbot.core.ids import new_id
from chatbot.dialogue.commit import trace_of, usage
from chatbot.dialogue.generate import prompt_of
from chatbot.dialogue.history import Said
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.language import question_language
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.parts import Found, Parts, Plan, Turn, TurnPolicy
from chatbot.dialogue.policy import Policies, turn_policies
from chatbot.dialogue.schemas import TraceView
from chatbot.dialogue.traces import trace_view
from chatbot.dialogue.turn import Clock, done_body, draft_reply
from chatbot.identity.policies.schemas import RetrievalConfig, TenantPolicy
from chatbot.identity.policies.service import Version
from chatbot.knowledge.errors import BrandNotFound
from chatbot.knowledge.repository import brand_of
from chatbot.llm.usage import record_usage

_NOBODY = UUID(int=0)
"""The channel of a turn that no visitor began."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A question to a brand (None: the default one), and the documents in place of those in force.

    Attributes:
        history: what was said before it, where it is one of a conversation.
        language: it is known to be asked in; None finds out.
    """

    message: str
    brand_id: UUID | None = None
    policy: TenantPolicy | None = None
    config: RetrievalConfig | None = None
    history: tuple[Said, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """The body that a visitor would have been sent, and why."""

    body: dict[str, Any]
    trace: TraceView


async def try_out(parts: Parts, tenant_id: UUID, trial: Trial) -> Tried:
    """Answer as a turn would, without a conversation: no message, gap, trace or event is written.

    Model calls are booked on the tenant, and held to the budget in force, whatever the tried policy says.

    Raises:
        BrandNotFound: none of the tenant's.
        InvalidInput: the message is longer than the policy allows.
    """
    turn = await _turn(parts, tenant_id, trial)
    live, clock = LiveReply(turn.reply_id, turn.conversation_id), Clock()
    try:
        plan, found, draft = await draft_reply(parts, turn, live, clock)
        clock.lap("generate")
    finally:
        if live.ledger and live.ledger.calls:
            async with parts.database.tenant(tenant_id) as session:
                record_usage(session, live.ledger)
    trace = trace_of(plan, found, draft, clock.laps) | {"prompt": _prompt(turn, plan, found)}
    async with parts.database.tenant_reader(tenant_id) as reader:
        return Tried(
            done_body(turn, draft), await trace_view(reader, trace, question=turn.question, usage=usage(draft))
        )


async def _turn(parts: Parts, tenant_id: UUID, trial: Trial) -> Turn:
    async with parts.database.tenant_reader(tenant_id) as session:
        brand_id = await brand_of(session, trial.brand_id)
        saved = await turn_policies(session)
    if brand_id is None:
        raise BrandNotFound
    tried = _with(saved, trial)
    if len(trial.message) > tried.max_message_chars:
        raise InvalidInput.field("message", f"must be at most {tried.max_message_chars} characters long")
    language = trial.language or question_language(trial.message, earlier=None, locale=None)
    conversation_id, hot = new_id(), HotSession(tenant_id, _NOBODY, _NOBODY, "bot", 0, language, None)
    return Turn(
        tenant_id, brand_id, _NOBODY, conversation_id, 0, new_id(), new_id(), trial.message, language,
        trial.history, (), tried, hot, "web",
    )  # fmt: skip


def _with(saved: Policies, trial: Trial) -> TurnPolicy:
    policy = Version(trial.policy, 0, None, None) if trial.policy else saved.saved
    config = Version(trial.config, 0, None, None) if trial.config else saved.config
    return replace(Policies(policy, config).of(None), budget=saved.of(None).budget)


def _prompt(turn: Turn, plan: Plan, found: Found) -> str | None:
    """What a model is told, as one text; None where none is asked."""
    if not (plan.smart and found.passages):
        return None
    return "\n\n".join(part.content for part in prompt_of(turn, plan, found))
