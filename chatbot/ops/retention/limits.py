"""How long each kind of thing is kept: by the tenant's policy, else by the platform's settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from chatbot.core.settings import Settings
from chatbot.identity.policies.schemas import Retention

Kind = Literal["uploads", "transcripts", "tickets", "logs"]
KINDS: tuple[Kind, ...] = ("uploads", "tickets", "logs", "transcripts")
"""In the order in which they are removed: conversations last, for the others count what stands in them."""

TRANSCRIPTS = timedelta(hours=48)
TICKETS = timedelta(days=90)
LOGS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things are kept.

    Attributes:
        uploads: files of messages and tickets, from their arrival; never knowledge.
        transcripts: conversations, from the last thing said, unless a person is at it.
        tickets: from the last change of one that is solved or closed; unanswered questions from being asked.
        logs: events, what providers sent and were sent, traces, jobs that are over.
    """

    uploads: timedelta
    transcripts: timedelta
    tickets: timedelta
    logs: timedelta

    @classmethod
    def of(cls, policy: Retention, settings: Settings) -> Self:
        """Return what holds for a tenant with this policy."""
        usual = cls.usual(settings)
        return cls(
            uploads=_days(policy.uploads_days) or usual.uploads,
            transcripts=timedelta(hours=policy.transcripts_hours) if policy.transcripts_hours else usual.transcripts,
            tickets=_days(policy.tickets_days) or usual.tickets,
            logs=_days(policy.logs_days) or usual.logs,
        )

    @classmethod
    def usual(cls, settings: Settings) -> Self:
        """Return what holds where no policy says otherwise."""
        return cls(timedelta(days=settings.upload_retention_days), TRANSCRIPTS, TICKETS, LOGS)

    def cutoffs(self, now: datetime) -> Mapping[Kind, datetime]:
        """Return the moments before which things are too old."""
        return {kind: now - getattr(self, kind) for kind in KINDS}


def _days(days: int | None) -> timedelta | None:
    return timedelta(days=days) if days else None
