"""Sentences, items and rows of passages."""

from chatbot.dialogue.units import plain, read_units, split_sentences


def test_sentences_of_three_languages() -> None:
    assert split_sentences("Go to p. ej. Madrid. Luego vuelva. ¿Listo? Sí.") == [
        "Go to p. ej. Madrid.", "Luego vuelva.", "¿Listo?", "Sí.",
    ]  # fmt: skip
    assert split_sentences("سفارش ثبت شد. آیا رسید؟ بله! قیمت ۳.۵ است.") == [
        "سفارش ثبت شد.", "آیا رسید؟", "بله!", "قیمت ۳.۵ است.",
    ]  # fmt: skip
    assert split_sentences("Dr. Who met J. K. Row. It costs 3.5 USD, e.g. now.") == [
        "Dr. Who met J. K. Row.", "It costs 3.5 USD, e.g. now.",
    ]  # fmt: skip


def test_a_lost_space_after_a_sentence_still_ends_it() -> None:
    assert split_sentences("We review it.Verification takes a day.") == ["We review it.", "Verification takes a day."]


def test_items_rows_and_headings() -> None:
    units = read_units("# Title\n\nDo this:\n\n1. One\n2. Two\n   - a\n   - b\n\n| A | B |\n|---|---|\n| 1 | 2 |\n")
    assert [(unit.kind, unit.number, unit.text) for unit in units] == [
        ("sentence", "", "Do this:"),
        ("item", "1", "One"),
        ("item", "2", "Two; a; b"),
        ("row", "", "A: 1; B: 2"),
    ]


def test_column_names_of_programs_are_made_words() -> None:
    table = "| نام | price_usd | size_l | delivery_days | id |\n|---|---|---|---|---|\n| چراغ | ۹٫۵ | 3 | n/a | |"
    assert [unit.text for unit in read_units(table)] == ["چراغ – price: ۹٫۵ USD; size l: 3; delivery days: n/a"]


def test_a_word_that_is_a_currency_too_is_one_beside_a_word_of_money() -> None:
    table = "| plan | max_try | price_try | files_cad |\n|---|---|---|---|\n| Pro | 3 | 250 | 2 |"
    assert [unit.text for unit in read_units(table)] == ["plan: Pro; max try: 3; price: 250 TRY; files cad: 2"]


def test_plain_words() -> None:
    assert plain("**Bold** [link](http://x.y) ![i](http://z) <b>tag</b> [12] \\*") == "Bold link i tag *"
    assert plain("run `cli --id <id> [1]` now") == "run `cli --id <id> [1]` now"
