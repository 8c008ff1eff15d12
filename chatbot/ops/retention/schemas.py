"""Bodies of retention."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.db.models import RetentionRun
from chatbot.ops.retention.limits import KINDS, Kind, Limits


class StartRetention(RequestBody):
    """A run now; `dry_run` counts and removes nothing."""

    dry_run: bool = False


class KindReport(ResponseBody):
    """What of one kind was older than `before`: rows and files by what they are."""

    kind: Kind
    before: Timestamp
    removed: dict[str, int]


class RetentionReport(ResponseBody):
    """What a run removed, or (dry run, whose `id` is null) would remove. `finished_at` is null while it goes on."""

    id: UUID | None
    dry_run: bool
    started_by: str
    kinds: list[KindReport]
    started_at: Timestamp
    finished_at: Timestamp | None

    @classmethod
    def of(cls, row: RetentionRun) -> Self:
        """Return the view of a stored run."""
        return cls(
            id=row.id,
            dry_run=False,
            started_by=row.started_by,
            kinds=kinds_of({kind: datetime.fromisoformat(row.cutoffs[kind]) for kind in KINDS}, row.removed),
            started_at=row.started_at,
            finished_at=row.finished_at,
        )


class RetentionView(ResponseBody):
    """How long things of a tenant are kept, what holds without a policy, and the last run."""

    uploads_days: float
    transcripts_hours: float
    tickets_days: float
    logs_days: float
    usual: "UsualLimits"
    last_run: RetentionReport | None


class UsualLimits(ResponseBody):
    """What holds where the policy says nothing."""

    uploads_days: float
    transcripts_hours: float
    tickets_days: float
    logs_days: float


def kinds_of(cutoffs: dict[Kind, datetime], removed: Mapping[Any, Any]) -> list[KindReport]:
    """Return reports in the order of the kinds."""
    return [KindReport(kind=kind, before=cutoffs[kind], removed=removed.get(kind, {})) for kind in KINDS]


def in_numbers(limits: Limits) -> dict[str, float]:
    """Return limits in the units of the policy."""
    hours = {kind: getattr(limits, kind).total_seconds() / 3600 for kind in KINDS}
    return {
        "uploads_days": hours["uploads"] / 24,
        "transcripts_hours": hours["transcripts"],
        "tickets_days": hours["tickets"] / 24,
        "logs_days": hours["logs"] / 24,
    }
