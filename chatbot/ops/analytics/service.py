"""Reports: past days as they are kept, today and what is not kept yet straight from the rows."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import TypeVar
from uuid import UUID

from chatbot.core.errors import InvalidInput
from chatbot.db.sessions import TenantReader
from chatbot.identity.tenants.service import require_tenant
from chatbot.knowledge.errors import BrandNotFound
from chatbot.knowledge.repository import brand_of
from chatbot.ops.analytics.counting_repository import count_days, count_ratings
from chatbot.ops.analytics.days import day_of, days_between
from chatbot.ops.analytics.figures import Cell, Figures
from chatbot.ops.analytics.repository import kept_days, progress_of

USUAL_DAYS = 30
MOST_DAYS = 366
_DAY = timedelta(days=1)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is reported: from one day to another (None: the last 30 days), narrowed to a brand or kind of channel."""

    first: date | None = None
    last: date | None = None
    brand_id: UUID | None = None
    channel_type: str | None = None

    def takes(self, cell: Cell) -> bool:
        """Whether a cell is part of the report."""
        brand, channel = self.brand_id, self.channel_type
        return (brand is None or cell.brand_id == brand) and (channel is None or cell.channel_type == channel)


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by cell, of every day from the first to the last of the tenant's time zone."""

    timezone: str
    first: date
    last: date
    cells: dict[Cell, Figures]

    def total(self) -> Figures:
        """Everything added up."""
        return self._by(lambda _cell: None).get(None, Figures())

    def by_day(self) -> Iterator[tuple[date, Figures]]:
        """Each day, also those on which nothing happened."""
        found = self._by(lambda cell: cell.day)
        for day in days_between(self.first, self.last):
            yield day, found.get(day, Figures())

    def by_channel(self) -> Iterator[tuple[str, Figures]]:
        """Each kind of channel on which something happened; what belongs to none is left out."""
        found = self._by(lambda cell: cell.channel_type or "")
        yield from sorted(((kind, figures) for kind, figures in found.items() if kind), key=itemgetter(0))

    def by_day_and_channel(self) -> Iterator[tuple[date, str, Figures]]:
        """Each day with each kind of channel (empty: none) on which something happened then."""
        found = self._by(lambda cell: (cell.day, cell.channel_type or ""))
        for (day, kind), figures in sorted(found.items(), key=itemgetter(0)):
            yield day, kind, figures

    def _by(self, key: Callable[[Cell], Key]) -> dict[Key, Figures]:
        found: dict[Key, Figures] = defaultdict(Figures)
        for cell, figures in self.cells.items():
            found[key(cell)].add(figures)
        return found


async def report(session: TenantReader, wanted: Wanted, now: datetime) -> Report:
    """Report on the session's tenant, in its time zone.

    Raises:
        NotFound: no such tenant.
        BrandNotFound: none of the tenant's.
        InvalidInput: the days are in the wrong order, or too many.
    """
    zone = (await require_tenant(session)).timezone
    if wanted.brand_id and await brand_of(session, wanted.brand_id) is None:
        raise BrandNotFound
    today = day_of(now, zone)
    first, last = _period(wanted, today)
    counted = await _counted(session, first, min(last, today), zone)
    rated = await count_ratings(session, first, last, zone)
    cells: dict[Cell, Figures] = defaultdict(Figures)
    for cell, figures in chain(counted.items(), rated.items()):
        if wanted.takes(cell):
            cells[cell].add(figures)
    return Report(zone, first, last, dict(cells))


async def _counted(session: TenantReader, first: date, last: date, zone: str) -> dict[Cell, Figures]:
    """Return kept figures as far as there are any, and count the days after them."""
    progress = await progress_of(session)
    through = progress.through if progress and progress.timezone == zone else first - _DAY
    kept = await kept_days(session, first, min(last, through))
    live_from = max(first, through + _DAY)
    return kept | (await count_days(session, live_from, last, zone) if live_from <= last else {})


def _period(wanted: Wanted, today: date) -> tuple[date, date]:
    last = wanted.last or max(today, wanted.first or today)
    first = wanted.first or last - (USUAL_DAYS - 1) * _DAY
    if first > last:
        raise InvalidInput.field("from", "must not be after `to`")
    if (last - first).days >= MOST_DAYS:
        raise InvalidInput.field("from", f"at most {MOST_DAYS} days are reported at once")
    return first, last
