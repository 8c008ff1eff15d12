"""Bodies of the analytics."""

from datetime import date

from chatbot.core.schemas import ResponseBody


class FiguresView(ResponseBody):
    """What was counted; waits and averages are null where there were none.

    Attributes:
        answered_by_bot: replies that rest on the knowledge.
        no_answer: questions for which no evidence was found; `gaps` counts those that were asked for the first time.
        handed_over: wishes for a person: of visitors, by a rule, for want of an answer.
        first_response_seconds_p50: half of the visitors who wished for a person had that person's first message by
            then; waits are within 2.5 % of the real ones.
        handoff_wait_seconds_p50: half of them had somebody take the conversation by then.
    """

    conversations: int
    messages: int
    answered_by_bot: int
    no_answer: int
    handed_over: int
    closed: int
    first_response_seconds_p50: float | None
    first_response_seconds_p95: float | None
    handoff_wait_seconds_p50: float | None
    csat_average: float | None
    csat_count: int
    tokens: int
    cost_usd: float
    gaps: int


class DayFigures(FiguresView):
    """The figures of one day."""

    day: date


class ChannelFigures(FiguresView):
    """The figures of one kind of channel."""

    channel_type: str


class AnalyticsReport(ResponseBody):
    """Figures of a period in the tenant's time zone.

    What belongs to no channel, such as the cost of a policy that was tried, is in `totals` and `days` alone.
    """

    timezone: str
    first_day: date
    last_day: date
    totals: FiguresView
    days: list[DayFigures]
    channels: list[ChannelFigures]
