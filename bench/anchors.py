"""What was measured elsewhere on exactly these queries, and what is to be reached."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Anchor:
    """nDCG@10 of rankers made for comparison, and the targets.

    Attributes:
        bm25: BM25 over the words as they are (k1 1.5, b 0.75, one document = one passage).
        folded: with folding, stop words and Snowball stems.
        grams: with in-word character 4-grams in the same BM25.
        target: the best offline figure: with MiniLM in English (convex 0.3 / 0.7), the 4-grams elsewhere.
        first_hit: the least share of questions whose first document is right.
    """

    bm25: float
    folded: float
    grams: float
    target: float
    first_hit: float | None = None


ANCHORS = {
    "wixqa160": Anchor(0.740, 0.758, 0.781, 0.896, first_hit=0.82),
    "techqa480": Anchor(0.834, 0.827, 0.837, 0.876, first_hit=0.79),
    "stackfaq": Anchor(0.658, 0.707, 0.732, 0.936),
    "scifact": Anchor(0.653, 0.698, 0.690, 0.730),
    "xquad_es": Anchor(0.965, 0.975, 0.976, 0.976),
    "pquad": Anchor(0.966, 0.970, 0.977, 0.977),
    "persianqa": Anchor(0.979, 0.981, 0.994, 0.994),
}
REFUSAL_SET = "techqa480"
LEAST_REFUSED, LEAST_ANSWERED = 0.30, 0.90
MOST_LOST = {"arabic letters": 0.01, "typos": 0.08}
"""How much nDCG@10 Persian questions may lose."""
