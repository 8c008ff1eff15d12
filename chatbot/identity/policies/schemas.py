"""The two policy documents, strictly validated, and the bodies of their API."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp
from chatbot.identity.tenants.schemas import TimeZone

Language = Annotated[
    str, StringConstraints(max_length=35), Like(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "a language such as en or pt-BR")
]
Text200 = Annotated[str, StringConstraints(max_length=200)]
Text1000 = Annotated[str, StringConstraints(max_length=1000)]
Text8000 = Annotated[str, StringConstraints(max_length=8000)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ByLanguage = dict[Language, Text1000]
ClockTime = Annotated[str, Like(r"^([01]\d|2[0-3]):[0-5]\d$", "a time of day such as 09:30")]
ClosingTime = Annotated[str, Like(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", "a time of day such as 17:30, at most 24:00")]
OpenMinutes = Annotated[int, Field(ge=1, le=525_600)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Document(RequestBody):
    """Base of a policy document and its parts: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class KnowledgeFilters(Document):
    """What a search may see: with tags, only sources that carry one of them."""

    tags: Annotated[tuple[Text200, ...], Field(max_length=50)] = ()
    visibility: Annotated[tuple[Literal["public", "internal"], ...], Field(min_length=1, max_length=2)] = ("public",)


class RetrievalConfig(Document):
    """How a tenant's knowledge is searched.

    Attributes:
        hybrid_weight: the share of the meaning score in the fused one; 0 is words only, 1 is vectors only.
        min_score: evidence (0 to 1) below which a question is not answered.
        max_documents: passages handed to the answer.
        context_budget_tokens: size of all of them together.
        filters: what a search may see.
        fallback_llm: the model asked when the first one fails; null is the platform's.
    """

    hybrid_weight: Annotated[float, Field(ge=0, le=1)] = 0.7
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.3
    max_documents: Annotated[int, Field(ge=1, le=20)] = 5
    context_budget_tokens: Annotated[int, Field(ge=256, le=32_000)] = 3000
    filters: KnowledgeFilters = KnowledgeFilters()
    fallback_llm: ModelName | None = None


UNNAMED = "Assistant"
"""The name of a bot whose tenant gave it none; it does not introduce itself by it."""


class Persona(Document):
    """Who the bot is."""

    name: Text200 = UNNAMED
    instructions: Text8000 = ""
    tone: Text200 = ""
    greeting: ByLanguage = Field(default_factory=dict)


class OwnVoice(Document):
    """What one channel's bot has of its own; null is the tenant's.

    Attributes:
        display_name: in place of the persona's name.
        model: in place of the platform's.
    """

    display_name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    instructions: Text8000 | None = None
    tone: Text200 | None = None
    greeting: ByLanguage | None = None
    model: ModelName | None = None


class Guardrails(Document):
    """What the bot keeps away from; a topic or phrase is matched as words, whatever its capitals.

    `hide_personal_data`: models, embedders, traces and gaps get `[email]`, `[phone]`, `[card]` and `[iban]` in place of
    what visitors write; people who answer, and tickets, see what was written.
    """

    blocked_topics: Annotated[tuple[Text200, ...], Field(max_length=100)] = ()
    blocked_phrases: Annotated[tuple[Text200, ...], Field(max_length=100)] = ()
    hide_personal_data: bool = True
    max_message_chars: Annotated[int, Field(ge=100, le=8_000)] = 8_000


class OpenHours(Document):
    """One span of a weekday, `HH:MM` to `HH:MM` of the same day; `24:00` is its end."""

    day: Weekday
    opens: ClockTime
    closes: ClosingTime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("closes: must be later than opens")
        return self


class Hours(Document):
    """When people are there; without spans, always. Without a time zone, the tenant's."""

    timezone: TimeZone | None = None
    open: Annotated[tuple[OpenHours, ...], Field(max_length=50)] = ()
    closed_message: ByLanguage = Field(default_factory=dict)


class Retention(Document):
    """How long things are kept; null is the platform's default: 30 days, 48 hours, 90 days, 7 days.

    Attributes:
        uploads_days: files of messages and tickets.
        transcripts_hours: conversations with all that was said, from the last thing said; none that a person is at.
        tickets_days: those that are solved or closed; unanswered questions.
        logs_days: events, what went to and came from providers, traces, jobs that are over.
    """

    uploads_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    transcripts_hours: Annotated[int, Field(ge=1, le=87_600)] | None = None
    tickets_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    logs_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Budgets(Document):
    """What models may cost a UTC day and a UTC month; null is no limit, 0 is no model.

    Attributes:
        warn_percent: when so much of a limit is used, administrators are told, once a day or month; null: never.
        degrade_percent: from then on `degrade_model` answers, or (null) the knowledge alone; null: not before the end.
        degrade_model: a cheaper model.
    """

    tokens_per_day: Annotated[int, Field(ge=0, le=10**12)] | None = None
    usd_per_day: Annotated[float, Field(ge=0, le=10**6)] | None = None
    tokens_per_month: Annotated[int, Field(ge=0, le=10**13)] | None = None
    usd_per_month: Annotated[float, Field(ge=0, le=10**7)] | None = None
    warn_percent: Annotated[int, Field(ge=1, le=100)] | None = 80
    degrade_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    degrade_model: ModelName | None = None


class Handoff(Document):
    """Whether a person is offered, and in which words.

    Attributes:
        offer: without it nobody can be asked for.
        when_no_answer: what is not answered is followed by the offer of a person, or passed on to one unasked.
        return_minutes: how long an agent may be away before the agent's conversations go back to the queue.
    """

    offer: bool = True
    message: ByLanguage = Field(default_factory=dict)
    when_no_answer: Literal["offer", "request"] = "offer"
    return_minutes: Annotated[int, Field(ge=1, le=1440)] = 5


class Minutes(Document):
    """Open minutes by the priority of a ticket."""

    low: OpenMinutes
    normal: OpenMinutes
    high: OpenMinutes
    urgent: OpenMinutes


class Sla(Document):
    """What is promised to whoever opens a ticket, in minutes within the hours: at the latest answered, then solved."""

    first_response_minutes: Minutes = Minutes(low=480, normal=240, high=60, urgent=15)
    resolution_minutes: Minutes = Minutes(low=2400, normal=1440, high=480, urgent=240)


class TenantPolicy(Document):
    """How a tenant's bot behaves.

    `languages` are those it answers in; empty is all. Texts by language fall back to the default language. Without an
    `sla` no clock runs on tickets that are opened from then on.
    """

    persona: Persona = Persona()
    languages: Annotated[tuple[Language, ...], Field(max_length=50)] = ()
    default_language: Language = "en"
    smart_mode: bool = True
    no_answer_reply: ByLanguage = Field(default_factory=dict)
    guardrails: Guardrails = Guardrails()
    hours: Hours = Hours()
    retention: Retention = Retention()
    budgets: Budgets = Budgets()
    handoff: Handoff = Handoff()
    sla: Sla | None = Sla()

    @model_validator(mode="after")
    def _default_is_one_of_them(self) -> Self:
        if self.languages and self.default_language not in self.languages:
            raise ValueError("default_language: must be one of languages")
        return self


Told = Field(None, description="As it was read; it is not looked at.")


class PutPolicy(TenantPolicy):
    """A policy to save; with `version`, only while that is still the newest."""

    version: Annotated[int, Field(ge=0)] | None = None
    updated_at: datetime | None = Told
    updated_by: Text200 | None = Told


class PutRetrievalConfig(RetrievalConfig):
    """A retrieval configuration to save; with `version`, only while that is still the newest."""

    version: Annotated[int, Field(ge=0)] | None = None
    updated_at: datetime | None = Told
    updated_by: Text200 | None = Told


class PolicyView(TenantPolicy):
    """The policy in force."""

    version: int
    updated_at: Timestamp | None
    updated_by: str | None


class RetrievalConfigView(RetrievalConfig):
    """The retrieval configuration in force."""

    version: int
    updated_at: Timestamp | None
    updated_by: str | None


PolicyKind = Literal["policy", "retrieval_config"]


class VersionEntry(ResponseBody):
    """A saved version; `changed` names the fields that differ from the version before, such as `persona.tone`."""

    version: int
    created_by: str
    created_at: Timestamp
    changed: list[str]


class SavedVersion(VersionEntry):
    """A saved version with its whole document: what was left out of it has today's default."""

    kind: PolicyKind
    document: TenantPolicy | RetrievalConfig


def as_document(body: PutPolicy | PutRetrievalConfig) -> dict[str, Any]:
    """Return what is stored of a body: its fields that differ from the defaults, so that better defaults reach all."""
    return body.model_dump(mode="json", exclude={"version", "updated_at", "updated_by"}, exclude_unset=True)
