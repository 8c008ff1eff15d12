"""What the stages of a turn are made with, and what they hand on."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from chatbot.core.bus import Bus
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.handoff.parts import Messenger, Wish
from chatbot.dialogue.history import Said
from chatbot.dialogue.hot_sessions import HotSession, HotSessions
from chatbot.dialogue.smalltalk import SmallTalk
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.service import Retriever
from chatbot.llm.budgets import Budget, Ledger
from chatbot.llm.service import ModelGateway

Mode = Literal["model", "extractive", "no_answer", "human", "closed"]


class Courier(Messenger, Protocol):
    """Takes finished replies, and all else that is said, to the channels' providers."""

    async def make_ready(self, turn: "Turn") -> None:
        """Wait for what must be over before a reply is stored: here, where no connection is in hand."""

    async def put_reply(self, session: TenantSession, turn: "Turn", draft: "Draft") -> None:
        """Put a finished reply on its way, in the transaction that stores it."""


class TicketOpener(Protocol):
    """Opens tickets for visitors who ask the bot for one."""

    async def open_for(self, turn: "Turn", problem: str) -> int:
        """Open a ticket of a turn's conversation, once a turn, and return its number."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the process that turns use; without a courier replies are for readers of the rows only.

    Without `tickets` nobody can ask the bot for one.
    """

    database: Database
    bus: Bus
    retriever: Retriever
    models: ModelGateway
    settings: Settings
    courier: Courier | None = None
    tickets: TicketOpener | None = None
    hot_sessions: HotSessions = field(default_factory=HotSessions)


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """What the tenant's policies say about a turn.

    Attributes:
        languages: those it answers in; empty is all. Any other question is answered in `default_language`.
        no_answer, greeting, offer: the tenant's words by language, under "" for all others; `offer` None: no person
            is offered.
        hand_over_unanswered: whether what is not answered is passed on to a person unasked.
        blocked: topics and phrases that the bot keeps away from.
        name: the bot's own; empty when the tenant gave it none.
        model: the channel's own; None is the platform's.
        versions: of the policy and of the retrieval configuration.
    """

    persona: str
    name: str = ""
    languages: tuple[str, ...] = ()
    default_language: str = "en"
    smart_mode: bool = True
    retrieval: RetrievalConfig = field(default_factory=RetrievalConfig)
    model: str | None = None
    fallback_model: str | None = None
    budget: Budget = field(default_factory=Budget)
    no_answer: Mapping[str, str] = field(default_factory=dict)
    greeting: Mapping[str, str] = field(default_factory=dict)
    offer: Mapping[str, str] | None = field(default_factory=dict)
    hand_over_unanswered: bool = False
    blocked: tuple[str, ...] = ()
    max_message_chars: int = 8_000
    hide_personal_data: bool = True
    versions: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question to be answered: what *accept* stored and read, and when (by the monotonic clock)."""

    tenant_id: UUID
    brand_id: UUID
    channel_id: UUID
    conversation_id: UUID
    epoch: int
    question_id: UUID
    reply_id: UUID
    question: str
    language: str
    history: tuple[Said, ...]
    waits_for: tuple[UUID, ...]
    policy: TurnPolicy
    hot: HotSession
    channel_type: str
    accepted_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Plan:
    """What *decide* settled: small talk or a question; with a model or from the knowledge alone, and why so.

    `language` is that of the answer; `blocked`: the question is about something that the bot keeps away from;
    `person`: a person is asked for; `ticket`: a ticket is.
    """

    policy: TurnPolicy
    language: str
    small_talk: SmallTalk | None = None
    smart: bool = False
    reason: str | None = None
    follow_up: bool = False
    blocked: bool = False
    person: bool = False
    ticket: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What *retrieve* found: passages for the answer, best first (none: no evidence), and how it went."""

    query: str
    passages: tuple[Passage, ...] = ()
    evidence: float = 0.0
    trace: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A reply as *generate* and *check* leave it.

    Attributes:
        cited: passages by their number in the text, in the order of their first mark.
        gap: whether the question is a gap in the knowledge.
        wish: the conversation is passed on to a person once the reply is stored.
        notes: for the trace.
    """

    mode: Mode
    text: str = ""
    cited: list[tuple[int, Passage]] = field(default_factory=list)
    interrupted: bool = False
    handoff_offered: bool = False
    gap: bool = False
    wish: Wish | None = None
    ledger: Ledger | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def citations(self) -> list[dict[str, Any]]:
        """The citations as clients see them."""
        return [passage.citation(number) for number, passage in self.cited]
