"""Small statistics: a figure measured several times, percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with the least and the most of its repetitions."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        """Sum up repetitions; there must be one."""
        return cls(round(median(values), 3), round(min(values), 3), round(max(values), 3))

    def shown(self, digits: int = 1) -> str:
        """Write the median, and the spread where there is one."""
        middle = f"{self.middle:.{digits}f}"
        if self.least == self.most:
            return middle
        return f"{middle} ({self.least:.{digits}f}–{self.most:.{digits}f})"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values (0 to 1) do not exceed, by nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
