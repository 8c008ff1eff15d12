"""Waits as a histogram that days can be added up in: percentiles of a month from those of its days, within 2.5 %.

Buckets grow by 5 %: bucket b holds waits above 1.05^(b-1) and up to 1.05^b seconds, bucket 0 those of up to a second.
(The relative-error buckets of DDSketch, Masson, Rim and Lee, VLDB 2019.)
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

_GROWTH = 1.05

Histogram = Mapping[int, int]


def histogram(seconds: Iterable[float]) -> Counter[int]:
    """Count waits by bucket."""
    return Counter(max(0, math.ceil(math.log(max(wait, 1.0), _GROWTH))) for wait in seconds)


def percentile(counted: Histogram, share: float) -> float | None:
    """Return the wait that ``share`` (0 to 1) of all do not exceed, in seconds; None where there are none."""
    left = math.ceil(share * sum(counted.values()))
    for bucket in sorted(counted):
        left -= counted[bucket]
        if left <= 0:
            return _middle(bucket)
    return None


def _middle(bucket: int) -> float:
    return round(_GROWTH**bucket * 2 / (1 + _GROWTH), 2) if bucket else 1.0
