"""Bodies of automation as a whole."""

from typing import Literal
from uuid import UUID

from chatbot.automation.jobs.schemas import JobStatus
from chatbot.automation.rules.schemas import State
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp


class OfTenant(RequestBody):
    """Whose automation it is about."""

    tenant_id: UUID


class Upcoming(ResponseBody):
    """A rule on a schedule, and when it fires next."""

    rule_id: UUID
    name: str
    cron: str
    next_fire_at: Timestamp | None


class AutomationView(ResponseBody):
    """How a tenant's automation stands.

    Attributes:
        paused_at: since when all rules rest; null while they do not.
        jobs: how many there are, by status.
        stuck: jobs that have been due for more than ten minutes and have not ended.
        behind: events that were not yet held against the rules.
    """

    tenant_id: UUID
    paused_at: Timestamp | None
    paused_by: str | None
    rules: dict[str, int]
    jobs: dict[str, int]
    stuck: int
    behind: int
    schedules: list[Upcoming]


class NewWebhookSecret(ResponseBody):
    """The secret that signs a tenant's webhooks (Standard Webhooks), shown this once."""

    secret: str


class TenantLoad(ResponseBody):
    """One tenant's share of what automation has to do; `paused_by` says `operations: …` of who paused all tenants."""

    tenant_id: UUID
    tenant_name: str
    paused_at: Timestamp | None
    paused_by: str | None
    active_rules: int
    waiting: int
    stuck: int
    failed: int
    next_fire_at: Timestamp | None


class Schedule(ResponseBody):
    """A rule on a schedule; without a `timezone` it goes by its tenant's."""

    tenant_id: UUID
    tenant_name: str
    rule_id: UUID
    name: str
    cron: str
    timezone: str | None
    state: State
    next_fire_at: Timestamp | None
    last_fired_at: Timestamp | None


class RuleLoad(ResponseBody):
    """One rule's or webhook's share of what automation has to do; of a webhook `name` is its address."""

    tenant_id: UUID
    tenant_name: str
    rule_id: UUID
    name: str
    kind: Literal["rule", "webhook"]
    state: State
    waiting: int
    stuck: int
    failed: int


class TroubledJob(ResponseBody):
    """A job that is stuck (due for more than ten minutes, and not ended) or failed."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    rule_id: UUID
    name: str
    kind: Literal["rule", "webhook"]
    status: JobStatus
    attempts: int
    reason: str | None
    due_at: Timestamp
    finished_at: Timestamp | None


class AutomationOps(ResponseBody):
    """Automation of the tenants that the caller reaches.

    Attributes:
        waiting: jobs of all these tenants, as `stuck` and `failed`.
        tenants: the ones with most to do first, 200 at most.
        schedules: the next to fire first, 50 at most.
        rules: rules and webhooks with jobs that wait or failed, the busiest first, 20 at most.
        troubled: stuck jobs, then those that failed last, 20 at most.
    """

    waiting: int
    stuck: int
    failed: int
    tenants: list[TenantLoad]
    schedules: list[Schedule]
    rules: list[RuleLoad]
    troubled: list[TroubledJob]
