"""Passages: cut along headings, whole tables, nothing lost, always the same."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.knowledge.chunk import ChunkOptions, chunk_entries, chunk_markdown, chunk_pairs

OPTIONS = ChunkOptions()
SENTENCE = "This sentence number {} says something that is long enough to matter here."


def prose(count: int, start: int = 0) -> str:
    return " ".join(SENTENCE.format(number) for number in range(start, start + count))


def words(text: str) -> set[str]:
    return set(text.replace("#", " ").replace("|", " ").split())


def test_passages_follow_headings_and_keep_their_path() -> None:
    markdown = (
        f"# Guide\n\n{prose(4)}\n\n## Returns\n\n{prose(5)}\n\n### Costs\n\n{prose(6)}\n\n## Shipping\n\n{prose(5)}"
    )
    chunks = chunk_markdown(markdown, "Guide")
    assert [chunk.heading_path for chunk in chunks] == [[], ["Returns"], ["Returns", "Costs"], ["Shipping"]]
    assert [chunk.ordinal for chunk in chunks] == [0, 1, 2, 3]
    assert chunk_markdown(markdown, "Another title")[1].heading_path == ["Guide", "Returns"]


def test_long_sections_are_split_near_the_target_with_a_sentence_of_overlap() -> None:
    chunks = chunk_markdown("# A\n\n" + "\n\n".join(prose(4, start) for start in range(0, 60, 4)))
    assert all(len(chunk.text) <= OPTIONS.max_chars + 100 for chunk in chunks)
    assert all(len(chunk.text) >= OPTIONS.min_chars for chunk in chunks)
    for before, after in pairwise(chunks):
        assert before.text.endswith(after.text.split(". ")[0] + ".")


def test_a_paragraph_without_end_is_split_at_sentences() -> None:
    chunks = chunk_markdown(prose(100))
    assert all(len(chunk.text) <= OPTIONS.max_chars + 100 for chunk in chunks)
    assert all(chunk.text.endswith(".") for chunk in chunks)
    persian = "این یک جمله بلند است که باید در جای درست بریده شود؟ " * 60
    assert all(chunk.text.endswith("؟") for chunk in chunk_markdown(persian))


def test_tiny_sections_join_their_neighbours_but_questions_stay_alone() -> None:
    tiny = "\n\n".join(f"## Part {number}\n\nShort text {number}." for number in range(5))
    chunks = chunk_markdown(tiny)
    assert len(chunks) == 1
    assert "### Part 3\n\nShort text 3." in chunks[0].text
    faq = "\n\n".join(f"## What is {number}?\n\nIt is {number}." for number in range(5))
    assert [chunk.heading_path for chunk in chunk_markdown(faq)] == [[f"What is {number}?"] for number in range(5)]


def test_tables_stay_whole_and_large_ones_repeat_their_header() -> None:
    def table(rows: int) -> str:
        return "| Plan | Price |\n| --- | --- |\n" + "\n".join(
            f"| Plan {row} | {row} euros a month |" for row in range(rows)
        )

    small = chunk_markdown(f"# T\n\n{prose(12)}\n\nThe plans:\n\n{table(40)}\n\n{prose(12)}")
    holding = [chunk for chunk in small if "| Plan 0 |" in chunk.text]
    assert len(holding) == 1
    assert table(40) in holding[0].text
    assert "The plans:" in holding[0].text
    large = chunk_markdown(table(500))
    assert len(large) > 5
    assert all(chunk.text.startswith("| Plan | Price |\n| --- | --- |\n") and chunk.kind == "table" for chunk in large)
    rows = [line for chunk in large for line in chunk.text.split("\n")[2:]]
    assert rows == table(500).split("\n")[2:]


def test_lists_keep_the_sentence_that_leads_to_them() -> None:
    items = "\n".join(f"- Step {number}: {SENTENCE.format(number)}" for number in range(40))
    chunks = chunk_markdown(f"# How\n\n{prose(10)}\n\nDo the following:\n\n{items}")
    listing = [chunk for chunk in chunks if chunk.kind == "list"]
    assert len(listing) > 2
    assert all("Do the following:" in chunk.text for chunk in listing)
    assert sum(chunk.text.count("- Step") for chunk in listing) == 40


def test_code_setext_headings_and_rules() -> None:
    chunks = chunk_markdown(
        f"Title\n=====\n\n{prose(4)}\n\nSub\n---\n\n```\n# not a heading\n\n| a |\n```\n\n***\n\n{prose(4)}"
    )
    assert [chunk.heading_path for chunk in chunks] == [["Title"], ["Title", "Sub"]]
    assert "# not a heading" in chunks[1].text


def test_question_answer_pairs_are_one_passage_each() -> None:
    chunks = chunk_pairs([("How long?", "Five days."), ("Why?", prose(60))])
    assert [chunk.kind for chunk in chunks] == ["qa", "qa"]
    assert chunks[0].text == "How long?\n\nFive days."
    assert chunks[1].ordinal == 1


def test_a_pair_too_long_for_any_prompt_is_cut_under_its_question() -> None:
    chunks = chunk_pairs([("Why?", prose(2_000)), ("How long?", "Five days.")])
    assert len(chunks) > 3
    assert all(chunk.heading_path[0] == "Why?" for chunk in chunks[:-1])
    assert max(len(chunk.text) for chunk in chunks) < 6_000
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))


def test_nothing_in_nothing_out() -> None:
    assert chunk_markdown("") == []
    assert chunk_markdown("\n\n---\n\n") == []
    assert chunk_markdown("# Only a heading")[0].text == "Only a heading"


markdowns = st.lists(
    st.one_of(
        st.builds(
            lambda level, text: f"{'#' * level} {text}", st.integers(1, 6), st.text("abc ؟?", min_size=1, max_size=30)
        ),
        st.builds(prose, st.integers(1, 40)),
        st.builds(lambda count: "\n".join(f"- item{number} {prose(1)}" for number in range(count)), st.integers(1, 60)),
        st.builds(lambda count: "| a | b |\n|---|---|\n" + "| x | y z |\n" * count, st.integers(0, 400)),
        st.text(max_size=300),
    ),
    max_size=8,
).map("\n\n".join)


@settings(max_examples=150, deadline=None)
@given(markdowns)
def test_any_document_is_cut_the_same_way_and_loses_no_word(markdown: str) -> None:
    chunks = chunk_markdown(markdown)
    assert chunks == chunk_markdown(markdown)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.text.strip() for chunk in chunks)
    assert all(len(chunk.text) <= OPTIONS.max_table_chars + 400 for chunk in chunks)
    kept = set().union(*(words(chunk.text) | words(" ".join(chunk.heading_path)) for chunk in chunks))
    plain = {word for word in words(markdown) if word.isascii() and word.isalnum()}
    assert plain <= kept


@pytest.mark.timeout(240)
def test_no_input_is_slow() -> None:
    """Within the time limit of the test, that is; each takes well under a second where nothing else runs."""
    document = "\n\n".join(f"## Part {number}\n\n{prose(14)}" for number in range(1000))
    assert len(chunk_markdown(document)) == 1000
    for hostile in (
        "#" * 200_000,
        "|" * 200_000,
        "- " * 100_000,
        "[" * 100_000,
        "a\n" * 100_000,
        "| a\n|-\n" * 30_000,
        "`" * 200_000,
    ):
        chunk_markdown(hostile)


def test_questions_of_a_file_are_passages_of_their_own() -> None:
    long = "\n\n".join(prose(4, start) for start in range(0, 40, 4))
    chunks = chunk_entries([("How to pay", "By card.", ["Money"]), ("Why\nso long?", long, []), ("And?", "No.", [])])
    assert (chunks[0].text, chunks[0].heading_path) == ("How to pay\n\nBy card.", ["Money", "How to pay"])
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert len(chunks) > 4
    assert {tuple(chunk.heading_path) for chunk in chunks[1:-1]} == {("Why so long?",)}
    assert all(len(chunk.text) <= OPTIONS.max_chars + 100 for chunk in chunks)
