"""How often a rule may act at most, and when it keeps quiet."""

from datetime import datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from chatbot.automation.rules.conditions import Part
from chatbot.identity.policies.schemas import ClockTime
from chatbot.identity.tenants.schemas import TimeZone


class QuietHours(Part):
    """From one time of day to another, over midnight too; without a time zone, the tenant's."""

    begins: ClockTime
    ends: ClockTime
    timezone: TimeZone | None = None

    def at(self, moment: datetime, tenant_zone: str) -> bool:
        """Whether a moment is within them."""
        now = moment.astimezone(ZoneInfo(self.timezone or tenant_zone)).time()
        begins, ends = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        if begins <= ends:
            return begins <= now < ends
        return now >= begins or now < ends


class Misfire(Part):
    """What becomes of a firing that came too late because no scheduler ran.

    `once`: it runs when a scheduler is back, several missed ones once; `skip`: it is left out after the grace time.
    """

    policy: Literal["once", "skip"] = "once"
    grace_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300


class Limits(Part):
    """Limits of a rule; null is none.

    Attributes:
        cool_down_minutes: within one conversation, after it acted.
        per_conversation: times at most.
        quiet_hours: what would run then is left out.
    """

    cool_down_minutes: Annotated[int, Field(ge=1, le=43_200)] | None = None
    per_conversation: Annotated[int, Field(ge=1, le=1_000)] | None = None
    quiet_hours: QuietHours | None = None
    misfire: Misfire = Misfire()
