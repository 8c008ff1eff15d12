"""How common each character 4-gram is in a brand: counted over a sample, kept as one compact table per brand.

Counting every 4-gram exactly would write thousands of rows per batch; a sample of 1,000 passages ranks the same.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from chatbot.db.driver import Command, Rows
from chatbot.db.sessions import TenantReader, TenantSession, fetch, fetch_all
from chatbot.knowledge.index.chosen import CHOSEN, IS_CHOSEN, Chosen, values_of
from chatbot.knowledge.index.drafts import AnalysedPassage
from chatbot.knowledge.index.statistics import BrandSize, size_in, size_query
from chatbot.knowledge.index.weighting import analyse_passage

_SAMPLE = 1000
_STALE = 0.25  # counted again when the brand has changed in size by this share
_CACHED_BRANDS = 256
_UNSEEN = 0.5  # a gram that no sampled passage holds

_LEAVING = f"""
SELECT count(*) FROM passages p JOIN {CHOSEN} ON {IS_CHOSEN} WHERE p.tenant_id = %(tenant)s
"""  # noqa: S608 - constants only
_SAMPLED = f"""
SELECT s.title, p.heading_path, p.text, p.language FROM passages p
JOIN knowledge_sources s ON s.tenant_id = p.tenant_id AND s.id = p.source_id
WHERE p.tenant_id = %(tenant)s AND p.brand_id = %(brand)s AND p.content_hash <= %(highest)s
  AND NOT EXISTS (SELECT FROM {CHOSEN} WHERE {IS_CHOSEN})
LIMIT %(limit)s
"""  # noqa: S608 - constants only
_STORE = """
UPDATE brand_statistics SET gram_table = %s, gram_sample = %s, gram_basis = %s, gram_version = gram_version + 1
WHERE tenant_id = %s AND brand_id = %s
"""


@dataclass(frozen=True, slots=True)
class GramTable:
    """Passages of the sample that hold each gram: ``grams`` ascending, ``counts`` beside them."""

    grams: NDArray[np.int32]
    counts: NDArray[np.int32]
    sample: int

    def holding(self, grams: Sequence[int], passages: int) -> NDArray[np.float64]:
        """Estimate how many of ``passages`` hold each of ``grams``."""
        wanted = np.asarray(grams, np.int32)
        if not len(self.grams):
            return np.full(len(wanted), _UNSEEN)
        at = np.minimum(np.searchsorted(self.grams, wanted), len(self.grams) - 1)
        counts = np.where(self.grams[at] == wanted, self.counts[at], 0)
        scale = passages / max(self.sample, 1)
        return np.where(counts > 0, counts * scale, 0.0 if scale <= 1 else _UNSEEN * scale)

    def to_bytes(self) -> bytes:
        """Render as two little-endian int32 arrays."""
        return self.grams.astype("<i4").tobytes() + self.counts.astype("<i4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, sample: int) -> "GramTable":
        """Read what `to_bytes` wrote."""
        both = np.frombuffer(data, "<i4")
        half = len(both) // 2
        return cls(both[:half].astype(np.int32), both[half:].astype(np.int32), sample)


@dataclass(frozen=True, slots=True)
class CountedGrams:
    """A table, and of how many of a brand's passages it is."""

    table: GramTable
    passages: int


class GramTables:
    """The tables of the brands asked about last, kept per process and dropped when their version changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, tuple[int, GramTable]] = OrderedDict()

    async def get(self, session: TenantReader, brand_id: UUID, size: BrandSize) -> GramTable:
        """Return a brand's table, read only when it is new."""
        version, table = self._kept.get(brand_id, (-1, None))
        if table is None or version != size.gram_version:
            table = await _read(session, brand_id, size.gram_sample)
            self._kept[brand_id] = (size.gram_version, table)
        self._kept.move_to_end(brand_id)
        while len(self._kept) > _CACHED_BRANDS:
            self._kept.popitem(last=False)
        return table


async def count_ahead(
    session: TenantReader,
    brand_id: UUID,
    *,
    added: Sequence[AnalysedPassage] = (),
    leaving: Sequence[Chosen] = (),
) -> CountedGrams | None:
    """Count a brand's grams as they will be once passages were added and others have left, before anything is locked.

    Returns:
        None when the change is too small for that.
    """
    gone = {**values_of(leaving), "tenant": session.tenant_id}
    commands = [size_query(session, brand_id), Command(_LEAVING, gone)]
    known, ((departed,),) = await fetch_all(session, commands)
    size = size_in(known)
    passages = size.passages + len(added) - departed
    if not _is_stale(size, passages):
        return None
    share, highest = _share_of(passages)
    sampled = await fetch(session, _SAMPLED, {**gone, "brand": brand_id, "highest": highest, "limit": 2 * _SAMPLE})
    fresh = [row for row in added if row.content_hash <= highest]
    return CountedGrams(await asyncio.to_thread(_count, sampled, fresh, only_repeated=share < 1), passages)


async def settle_grams(session: TenantSession, brand_id: UUID, ahead: CountedGrams | None) -> None:
    """Store a changed and locked brand's grams when it has changed enough.

    What was counted ahead serves unless others have changed the brand as much in the meantime; only then it is counted
    here.
    """
    size = size_in((await fetch_all(session, [size_query(session, brand_id)]))[0])
    if not _is_stale(size, size.passages):
        return
    if ahead is None or _is_far(size.passages, ahead.passages):
        ahead = await count_ahead(session, brand_id)
    if ahead is not None:
        values = (ahead.table.to_bytes(), ahead.table.sample, ahead.passages, session.tenant_id, brand_id)
        session.defer(_STORE, values, len)


def _is_stale(size: BrandSize, passages: int) -> bool:
    return not size.gram_basis or _is_far(passages, size.gram_basis)


def _is_far(passages: int, basis: int) -> bool:
    return abs(passages - basis) > _STALE * basis


def _share_of(passages: int) -> tuple[float, str]:
    """Return which share of so many passages is sampled, and the last hash that belongs to it."""
    share = min(1.0, _SAMPLE / max(passages, 1))
    return share, format(int(share * 0xFFFFFFFF), "08x") + "f" * 56


def _count(sampled: Rows, added: Sequence[AnalysedPassage], *, only_repeated: bool) -> GramTable:
    counts: Counter[int] = Counter()
    for title, headings, text, language in sampled:
        counts.update(analyse_passage(title, headings, text, language).grams.keys())
    for row in added:
        counts.update(row.analysis.grams.keys())
    kept: Iterable[int] = (gram for gram, count in counts.items() if count > 1) if only_repeated else counts
    grams = np.array(sorted(kept), np.int32)
    return GramTable(grams, np.array([counts[int(gram)] for gram in grams], np.int32), len(sampled) + len(added))


async def _read(session: TenantReader, brand_id: UUID, sample: int) -> GramTable:
    rows = await fetch(
        session,
        "SELECT gram_table, gram_sample FROM brand_statistics WHERE tenant_id = %s AND brand_id = %s",
        (session.tenant_id, brand_id),
    )
    return GramTable.from_bytes(rows[0][0] or b"", rows[0][1]) if rows else GramTable.from_bytes(b"", sample)
