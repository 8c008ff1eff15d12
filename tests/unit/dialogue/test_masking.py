"""What is taken out of a visitor's words, and what stays."""

import time

import pytest

from chatbot.dialogue.masking import mask


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("write to ada.l+shop@mail.example.com, please", "write to [email], please"),
        ("card 4111 1111 1111 1111 was charged", "card [card] was charged"),
        ("کارت ۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱ من", "کارت [card] من"),
        ("DE89 3704 0044 0532 0130 00 is mine", "[iban] is mine"),
        ("call +49 30 1234567 or 0912 345 6789", "call [phone] or [phone]"),
        ("شمارهٔ من ۰۹۱۲۳۴۵۶۷۸۹ است", "شمارهٔ من [phone] است"),
    ],
)
def test_what_is_personal_is_named_and_not_told(said: str, kept: str) -> None:
    assert mask(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "order 4111111111111112 is late",
        "AB12 BİLGİSAYARLAR nerede?",
        "on 2026-11-26 at 10:30 I paid 1,250.00 €",
        "error 0x80070005, version 10.0.19045.3803",
        "GB00WEST12345698765432",
        "ticket 12345678901",
        "@support answered",
    ],
)
def test_numbers_that_prove_nothing_stay(said: str) -> None:
    assert mask(said) == said


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "1", "+", "(0", "AB12"])
def test_a_long_word_takes_no_longer_than_many_short_ones(piece: str) -> None:
    """100,000 characters took 35 s while the time grew with the square of them."""
    began = time.process_time()
    mask(piece * (100_000 // len(piece)))
    assert time.process_time() - began < 10
