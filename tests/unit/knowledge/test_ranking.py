"""Weighting, fusion, evidence and the choice of context, without a database."""

from uuid import UUID

import numpy as np
import pytest

from chatbot.knowledge.analysis.words import analyse
from chatbot.knowledge.index.grams import GramTable
from chatbot.knowledge.index.lexical import StoredPassage
from chatbot.knowledge.index.search import Candidate
from chatbot.knowledge.index.statistics import BrandSize, trigrams
from chatbot.knowledge.index.weighting import inverse_frequency, saturated, sparse_literal
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.context import choose, estimate_tokens
from chatbot.knowledge.retrieval.evidence import evidence, lexical_signals, names_in, vector_signals
from chatbot.knowledge.retrieval.fusion import fuse
from chatbot.knowledge.retrieval.holding import Held
from chatbot.knowledge.retrieval.question import Question, QuestionWord

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def _question(text: str, holding: int = 1, passages: int = 20) -> Question:
    words = tuple(
        QuestionWord(word, 1, holding, inverse_frequency(passages, holding)) for word in analyse(text, "en").words
    )
    return Question(text, "en", words, passages, {}, "", "")


def test_repetition_saturates_and_length_counts_against() -> None:
    once, thrice = (saturated({1: count}, 100)[1] for count in (1, 3))
    assert once == 1.0
    assert once < thrice < 2.2
    assert saturated({1: 1}, 300)[1] < once


def test_rare_terms_weigh_more_and_counts_beyond_the_total_are_safe() -> None:
    assert inverse_frequency(100, 1) > inverse_frequency(100, 50) > 0
    assert inverse_frequency(5, 9) > 0


def test_sparse_vectors_are_written_ascending_from_one() -> None:
    assert sparse_literal({4: 0.5, 0: 2.0, 2: 0.0}) == "{1:2,5:0.5}/1000000000"


def test_gram_counts_scale_from_the_sample_and_survive_storage() -> None:
    table = GramTable(np.array([3, 9], np.int32), np.array([10, 2], np.int32), 100)
    again = GramTable.from_bytes(table.to_bytes(), 100)
    assert again.holding([3, 9, 7], 1000).tolist() == [100.0, 20.0, 5.0]
    assert GramTable.from_bytes(b"", 0).holding([1], 10).tolist() == [0.5]


def test_sizes_add_up_per_language() -> None:
    size = BrandSize().plus({"en": 3, "fa": 1}).plus({"fa": -1, "es": 2})
    assert (size.passages, dict(size.languages), size.main_language) == (5, {"en": 3, "es": 2}, "en")
    assert trigrams("ab") == ["_ab", "ab_"]


def test_fusion_weighs_both_and_the_opening_speaks_for_its_document() -> None:
    candidates = [Candidate(A, A, 1, 10.0), Candidate(B, B, 1, 8.0), Candidate(C, B, 0, 9.0)]
    words = fuse(candidates, 0.7)
    assert [passage.id for passage in words] == [A, C, B]
    assert words[2].score == pytest.approx(0.65 * 0.8 + 0.35 * 0.9)
    meant = zip(candidates, (0.2, 0.9, 0.1), strict=True)
    both = fuse([one._replace(cosine=cosine) for one, cosine in meant], 0.7)
    assert both[0].id == B
    assert fuse([], 0.7) == []


def test_what_matches_in_no_way_is_no_result() -> None:
    assert fuse([Candidate(A, A, 0, 0.0, -0.1)], 0.7) == []


def test_what_may_not_be_shown_is_no_result() -> None:
    hidden, shown = Candidate(A, A, 0, None, 0.9), Candidate(B, B, 0, 5.0, 0.3)
    assert [(passage.id, passage.vector) for passage in fuse([hidden, shown], 0.7)] == [(B, 0.3)]


def test_evidence_rises_with_coverage_and_with_nearness() -> None:
    question = _question("return a damaged parcel")
    full = [Held.of(analyse("You can return a damaged parcel within 30 days", "en"))]
    none = [Held.of(analyse("Our offices are closed on Sunday", "en"))]
    covered, bare = (lexical_signals(question, top, 5.0) for top in (full, none))
    assert evidence(covered) > 0.6 > 0.1 > evidence(lexical_signals(question, none, 0.0))
    near, far = vector_signals([0.8, 0.2], 0.8), vector_signals([0.1, 0.05], 0.1)
    assert evidence(bare | far) < 0.1 < 0.6 < evidence(covered | near)
    assert evidence({}) == 0.0


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [
        ("What is the price of the Diamond plan?", "en", {"diamond"}),
        ("Diamond plan: Which price has it? Where?", "en", set()),
        ("does it run on windows11 or OS/2", "en", {"windows11", "os"}),
        ("¿Cuánto cuesta el plan Diamante?", "es", {"diamante"}),
        ("¿El plan Ópalo?", "es", {"opalo", "ópalo"}),
        ("قیمت PlayStation5 چند است؟", "fa", {"playstation5"}),
        ("قیمت طرح الماس چند است؟", "fa", set()),
        ("HOW DO I GET A REFUND", "en", set()),
        ("How To Get A Refund", "en", set()),
        ("Wie bekomme ich mein Geld vom Laden", "de", set()),
    ],
)
def test_words_written_like_names(text: str, language: str, names: set[str]) -> None:
    found = names_in(text, language)
    assert found <= names
    assert bool(found) == bool(names)


def test_a_name_that_no_passage_has_lowers_the_evidence() -> None:
    top = [Held.of(analyse("The Bronze plan has a price of five euros", "en"))]
    known, unknown = (
        lexical_signals(_question(f"price of the {name} plan"), top, 5.0) for name in ("Bronze", "Diamond")
    )
    assert (known["name"], known["name_long"], unknown["name_long"]) == (0.0, 0.0, 0.0)
    assert unknown["name"] > 0.2
    without = {**unknown, "name": 0.0}
    near = vector_signals([0.6, 0.3], 0.6)
    assert evidence(unknown) < evidence(without)
    assert evidence(unknown | near) < evidence(without | near)


def test_of_a_handful_of_words_each_counts_beside_the_nearness() -> None:
    top = [Held.of(analyse("Opened tins of saffron cannot be returned", "en"))]
    near = vector_signals([0.42, 0.15], 0.42)
    said, half_said = (lexical_signals(_question(text), top, 3.0) | near for text in ("return saffron", "saffron tea"))
    assert evidence(half_said) < 0.3 < evidence(said)


def test_a_question_of_small_words_alone_is_no_evidence() -> None:
    top = [Held.of(analyse("Returns are free", "en"))]
    assert evidence(lexical_signals(_question("who are you"), top, 0.0)) < 0.05


def _stored(number: int, text: str, source: UUID) -> StoredPassage:
    return StoredPassage(UUID(int=number), source, 1, 0, text, [], "en", "", None, "T", None, "text")


def test_context_folds_duplicates_and_keeps_to_budget_and_documents() -> None:
    texts = ["alpha beta gamma delta", "alpha beta gamma delta", "one two three four " * 100, "five six seven eight"]
    stored = {UUID(int=n): _stored(n, text, UUID(int=n)) for n, text in enumerate(texts, 1)}
    fused = fuse([Candidate(i, i, 0, 10.0 - i.int) for i in stored], 0)
    config = RetrievalConfig(context_budget_tokens=256, max_documents=2)
    chosen = choose(fused, stored, config, answerable=True)
    assert [(result.rank, result.cut) for result in chosen] == [
        (1, None),
        (2, "duplicate"),
        (3, "context_budget"),
        (4, None),
    ]
    assert {result.cut for result in choose(fused, stored, config, answerable=False)} == {"no_evidence"}
    assert [r.cut for r in choose(fused, stored, RetrievalConfig(max_documents=1), answerable=True)][
        3
    ] == "max_documents"
    assert estimate_tokens("سلام") > estimate_tokens("abcd")
