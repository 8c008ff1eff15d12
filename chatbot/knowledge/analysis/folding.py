"""Makes spellings of the same word equal: one folding for everything that is indexed and everything that is asked."""

import re
import unicodedata

# Persian is typed with Arabic keyboards, with and without hamza, diacritics and the zero-width non-joiner.
_LETTERS = {
    "ي": "ی",
    "ى": "ی",
    "ئ": "ی",
    "ې": "ی",
    "ك": "ک",
    "ڪ": "ک",
    "ة": "ه",
    "ۀ": "ه",
    "ە": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "أ": "ا",
    "إ": "ا",
    "ٱ": "ا",
    "ؤ": "و",
    "ء": "",
    "ـ": "",
    "\u200c": " ",  # zero-width non-joiner: the two halves are words of their own
    "\u200b": " ",
    "\u00ad": "",  # soft hyphen
    "\u200d": "",
    "\ufeff": "",
    "’": "'",
    "‘": "'",
}
_BIDI = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HARAKAT = [*range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E9)]
_DIGIT_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0xFF10)

_FOLD: dict[int, str] = {
    **{ord(letter): plain for letter, plain in _LETTERS.items()},
    **{ord(mark): "" for mark in _BIDI},
    **dict.fromkeys(_HARAKAT, ""),
    **{zero + digit: str(digit) for zero in _DIGIT_ZEROS for digit in range(10)},
}
_COMBINING = re.compile("[\u0300-\u036f]+")


def fold(text: str) -> str:
    """Fold case, width, digits, marks and Arabic letters; accents stay, because the stemmers need them.

    Returns text whose length may differ from the input's.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).translate(_FOLD)).lower()


def fold_accents(word: str) -> str:
    """Drop Latin accents (``configuración`` to ``configuracion``); to be called after stemming."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _COMBINING.sub("", unicodedata.normalize("NFD", word)))
