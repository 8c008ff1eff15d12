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

from chatbot.db.driver import Rows
from chatbot.db.sessions import TenantReader, TenantSession, fetch
from chatbot.knowledge.index.statistics import BrandSize
from chatbot.knowledge.index.weighting import analyse_passage

_SAMPLE = 1000
_STALE = 0.25  # counted again when the brand has changed in size by this share
_CACHED_BRANDS = 256
_UNSEEN = 0.5  # a gram that no sampled passage holds

_SAMPLED = """
SELECT s.title, p.heading_path, p.text, p.language FROM passages p
JOIN knowledge_sources s ON s.tenant_id = p.tenant_id AND s.id = p.source_id
WHERE p.tenant_id = %s AND p.brand_id = %s AND p.content_hash <= %s LIMIT %s
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


async def refresh_gram_table(session: TenantSession, brand_id: UUID, size: BrandSize) -> bool:
    """Count a locked brand's grams again if it has changed enough; returns whether it did."""
    if size.gram_basis and abs(size.passages - size.gram_basis) <= _STALE * size.gram_basis:
        return False
    share = min(1.0, _SAMPLE / max(size.passages, 1))
    highest = format(int(share * 0xFFFFFFFF), "08x") + "f" * 56
    sampled = await fetch(session, _SAMPLED, (session.tenant_id, brand_id, highest, 2 * _SAMPLE))
    table = await asyncio.to_thread(_count, sampled, share < 1)
    await fetch(
        session,
        "UPDATE brand_statistics SET gram_table = %s, gram_sample = %s, gram_basis = %s, "
        "gram_version = gram_version + 1 WHERE tenant_id = %s AND brand_id = %s",
        (table.to_bytes(), table.sample, size.passages, session.tenant_id, brand_id),
    )
    return True


def _count(rows: Rows, only_repeated: bool) -> GramTable:
    counts: Counter[int] = Counter()
    for title, headings, text, language in rows:
        counts.update(analyse_passage(title, headings, text, language).grams.keys())
    kept: Iterable[int] = (gram for gram, count in counts.items() if count > 1) if only_repeated else counts
    grams = np.array(sorted(kept), np.int32)
    return GramTable(grams, np.array([counts[int(gram)] for gram in grams], np.int32), len(rows))


async def _read(session: TenantReader, brand_id: UUID, sample: int) -> GramTable:
    rows = await fetch(
        session,
        "SELECT gram_table, gram_sample FROM brand_statistics WHERE tenant_id = %s AND brand_id = %s",
        (session.tenant_id, brand_id),
    )
    return GramTable.from_bytes(rows[0][0] or b"", rows[0][1]) if rows else GramTable.from_bytes(b"", sample)
