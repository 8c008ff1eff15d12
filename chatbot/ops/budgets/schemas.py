"""Bodies of budgets."""

from datetime import date

from chatbot.core.schemas import ResponseBody
from chatbot.ops.budgets.standing import Level


class LimitView(ResponseBody):
    """One limit: `most` and `spent` in tokens or US dollars; `percent` is 100 when it is used up."""

    name: str
    most: float
    spent: float
    percent: float
    level: Level


class BudgetView(ResponseBody):
    """How a tenant's budgets stand on a UTC day.

    `level`: `warn` (administrators were told), `degrade` (a cheaper model, or the knowledge alone), `stop` (the
    knowledge alone).
    """

    day: date
    level: Level
    limits: list[LimitView]
