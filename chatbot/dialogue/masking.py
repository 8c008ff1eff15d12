"""Takes personal numbers and addresses out of what visitors write, before a model, an embedder or a trace sees it.

Only what proves itself is taken for one: cards by their check digit (Luhn, ISO/IEC 7812), IBANs by theirs (ISO 13616),
telephone numbers by a leading `+`, `00` or `0`. Order numbers, dates and amounts stay.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from chatbot.dialogue.parts import Turn

_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
# Begun at the beginning of a word only, and never tried again with less of it: else the time grows with the square of a
# long word's length, and everybody waits.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE)
_CARD = re.compile(r"(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)")
_PHONE = re.compile(r"(?<![\w./-])(?:\+|00|\(?0)[\d ().-]{6,18}\d(?!\w)")
_MARK = re.compile(r" ?\[(?:email|iban|card|phone)\]")
_LEAST_DIGITS, _MOST_DIGITS = 8, 15


def masked_turn(turn: Turn) -> Turn:
    """Return a turn whose visitor's words hold no such things, for all that leaves the platform or is kept of them."""
    history = tuple(replace(said, text=mask(said.text)) if said.role == "visitor" else said for said in turn.history)
    return replace(turn, question=mask(turn.question), history=history)


def mask(text: str) -> str:
    """Replace e-mail addresses, IBANs, card and telephone numbers by what they were: `[email]`, `[iban]`, …"""
    plain, parts, end = text.translate(_DIGITS), [], 0  # as long as the text: a place in one is that in the other
    for start, stop, name in sorted(_found(plain)):
        if start >= end:
            parts += [text[end:start], f"[{name}]"]
            end = stop
    return "".join([*parts, text[end:]])


def without_marks(text: str) -> str:
    """Return a masked text for searching: what stands in place of an address is no word of the question."""
    return _MARK.sub(" ", text).strip() or text


def _found(plain: str) -> Iterator[tuple[int, int, str]]:
    for name, pattern, holds in (
        ("email", _EMAIL, bool), ("iban", _IBAN, _is_iban), ("card", _CARD, _is_card), ("phone", _PHONE, _is_phone),
    ):  # fmt: skip
        for match in pattern.finditer(plain):
            if holds(match.group()):
                yield match.start(), match.end(), name


def _is_card(text: str) -> bool:
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    letters = text.replace(" ", "").upper()
    # To a pattern that overlooks capitals, letters such as the Turkish İ are Latin ones.
    if not (letters.isascii() and 15 <= len(letters) <= 34):
        return False
    return int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4])) % 97 == 1


def _is_phone(text: str) -> bool:
    return _LEAST_DIGITS <= sum(letter.isdigit() for letter in text) <= _MOST_DIGITS
