"""Bodies of the chat API (contract, section 9)."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp
from chatbot.identity.policies.schemas import RetrievalConfig, TenantPolicy

MAX_MESSAGE_CHARS = 8_000


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character U+0000")
    return text


Message = Annotated[
    str,
    Field(min_length=1, max_length=MAX_MESSAGE_CHARS, description="1 to 8,000 characters."),
    AfterValidator(_storable),
]
ClientId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
SessionId = Annotated[str, Field(min_length=1, max_length=180), AfterValidator(_storable)]
Locale = Annotated[
    str, Field(max_length=35), Like(r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}$", "a language such as en or pt-BR")
]


class ChatBody(RequestBody):
    """A visitor's message."""

    message: Message
    conversation_id: UUID | None = Field(None, description="Goes on with a conversation; without it one begins.")
    client_message_id: ClientId | None = Field(
        None, description="The client's own id: a repeat returns the stored answer; with another text it is refused."
    )
    brand_id: UUID | None = Field(None, description="The tenant's default brand when it is left out.")
    locale: Locale | None = Field(None, description="Language of the page, such as `fa` or `es-MX`.")
    stream: bool = Field(False, description="Answer as server-sent events.")


class SessionChatBody(RequestBody):
    """A message of a session that the client names."""

    sessionId: SessionId  # noqa: N815 - a name that programs outside rely on
    message: Message


class Citation(ResponseBody):
    """A passage that the answer rests on; `index` is its mark in the text."""

    index: int
    source_id: UUID
    external_id: str | None
    title: str
    url: str | None
    passage: str


class TurnUsage(ResponseBody):
    """Tokens and money of a turn; zeros when no model was asked."""

    input_tokens: int
    output_tokens: int
    cost_usd: float
    model: str | None


class ChatAnswer(ResponseBody):
    """An answer: `mode` is model, extractive, no_answer, human or closed; `status` complete or interrupted.

    `human`: a person answers later; `closed`: the conversation was closed while the reply was made.
    """

    conversation_id: UUID
    message_id: UUID
    answer: str
    citations: list[Citation]
    mode: str
    handoff_offered: bool
    usage: TurnUsage
    status: str


class TracedPassage(ResponseBody):
    """A passage that was found; null where it, or its document, is gone. `cited`: the answer names it."""

    title: str | None
    source_id: UUID
    passage: str | None
    score: float
    lexical_score: float | None
    vector_score: float | None
    cut: str | None
    cited: bool


class TraceView(ResponseBody):
    """Why the bot said that."""

    question: str | None
    query: str | None
    passages: list[TracedPassage]
    evidence: float | None
    plan: dict[str, Any]
    prompt: str | None
    model: str | None
    usage: TurnUsage | None
    milliseconds: dict[str, float]
    policy_versions: list[int]
    notes: dict[str, Any]


class TryBody(RequestBody):
    """A question, and the documents to answer it by; one that is left out is the tenant's in force."""

    message: Message
    brand_id: UUID | None = Field(None, description="The tenant's default brand when it is left out.")
    policy: TenantPolicy | None = None
    retrieval_config: RetrievalConfig | None = None


class TryAnswer(ChatAnswer):
    """What a visitor would be answered, and why; nothing of it is stored."""

    trace: TraceView


class SessionChatAnswer(ResponseBody):
    """An answer in a session that the client names."""

    sessionId: str  # noqa: N815 - a name that programs outside rely on
    reply: str
    citations: list[Citation]
    mode: str
    ticketOffered: bool  # noqa: N815 - a name that programs outside rely on


class Author(ResponseBody):
    """The person who speaks, as visitors see them."""

    id: UUID
    name: str
    avatar_url: str | None


class AttachmentView(ResponseBody):
    """A file of a message; `status` is pending while it is fetched from the provider, then stored or refused."""

    id: UUID
    name: str | None
    mime: str | None
    size: int | None
    status: str


class StoredMessage(ResponseBody):
    """A message of a conversation; `seq` orders them and a client catches up by it. `author`: of an agent's message."""

    id: UUID
    conversation_id: UUID
    seq: int
    role: str
    status: str
    text: str
    language: str | None
    client_message_id: str | None
    reply_to: UUID | None
    mode: str | None
    citations: list[dict[str, Any]]
    handoff_offered: bool
    created_at: Timestamp
    completed_at: Timestamp | None
    author: Author | None
    attachments: Annotated[list[AttachmentView], BeforeValidator(lambda found: found or [])]


class MessageList(ResponseBody):
    """Messages in order; `next_cursor` is the `after_seq` of the next page, null on the last."""

    items: list[StoredMessage]
    next_cursor: str | None = None
