"""`/admin/analytics`: what happened, as a report and as CSV."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from chatbot.channels.schemas import ChannelType
from chatbot.core.clock import utcnow
from chatbot.core.csv_cells import MEDIA_TYPE, csv_lines
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role
from chatbot.ops.analytics.schemas import AnalyticsReport, ChannelFigures, DayFigures, FiguresView
from chatbot.ops.analytics.service import Report, Wanted, report

router = APIRouter(prefix="/admin/analytics", tags=["analytics"])

_CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "A line for each day and kind of channel.", "content": {"text/csv": {}}}
}
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)
First = Annotated[
    date | None,
    Query(alias="from", ge=_EARLIEST, le=_LATEST, description="The first day; without it, 30 days up to the last."),
]
Last = Annotated[
    date | None, Query(alias="to", ge=_EARLIEST, le=_LATEST, description="The last day; without it, today.")
]


async def _report(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    brand_id: UUID | None = None,
    channel_type: ChannelType | None = None,
    first: First = None,
    last: Last = None,
) -> Report:
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        return await report(session, Wanted(first, last, brand_id, channel_type), utcnow())


Reported = Annotated[Report, Depends(_report)]


@router.get("")
async def get_analytics(found: Reported) -> AnalyticsReport:
    """What happened from one day to another in the tenant's time zone: in all, day by day, and by kind of channel."""
    return AnalyticsReport(
        timezone=found.timezone,
        first_day=found.first,
        last_day=found.last,
        totals=FiguresView.model_validate(found.total().summary()),
        days=[DayFigures.model_validate({"day": day, **figures.summary()}) for day, figures in found.by_day()],
        channels=[
            ChannelFigures.model_validate({"channel_type": kind, **figures.summary()})
            for kind, figures in found.by_channel()
        ],
    )


@router.get("/export", response_class=StreamingResponse, responses=_CSV)
async def export_analytics(found: Reported) -> StreamingResponse:
    """The same as CSV, a line for each day and kind of channel on which something happened."""
    name = f"analytics-{found.first}-{found.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    header = ["day", "channel_type", *FiguresView.model_fields]
    return StreamingResponse(csv_lines(header, _lines(found)), media_type=MEDIA_TYPE, headers=headers)


def _lines(found: Report) -> Iterator[list[object]]:
    for day, channel_type, figures in found.by_day_and_channel():
        numbers = figures.summary()
        yield [day, channel_type, *(numbers[name] for name in FiguresView.model_fields)]
