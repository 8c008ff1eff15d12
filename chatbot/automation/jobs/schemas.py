"""Bodies of the jobs' API."""

from typing import Any, Literal
from uuid import UUID

from chatbot.core.schemas import ResponseBody, Timestamp

JobStatus = Literal["pending", "running", "succeeded", "failed", "cancelled"]


class RuleJobView(ResponseBody):
    """One firing of a rule.

    Attributes:
        firing: what started it: `event:<number>`, `cron:<time>` or `silence:<conversation>:<message's number>`.
        step: the next action to run, of `actions`; `attempts` counts its tries.
        results: what came of each step so far, in words.
        reason: why it waits or failed.
    """

    id: UUID
    tenant_id: UUID
    rule_id: UUID
    rule_name: str
    rule_version: int
    firing: str
    status: JobStatus
    event: dict[str, Any]
    conversation_id: UUID | None
    actions: list[dict[str, Any]]
    step: int
    attempts: int
    results: list[dict[str, Any]]
    reason: str | None
    due_at: Timestamp
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
