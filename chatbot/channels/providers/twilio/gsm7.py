"""The alphabet of SMS: a text within GSM-7 costs half of what any other costs.

GSM 03.38: 160 characters in one part, 153 in each of several; beyond the alphabet (UCS-2) 70 and 67.
"""

_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    "\f^{}\\[~]|€"
)
_PLAINER = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "′": "'", "″": '"',
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-", "·": "-", "\u00a0": " ", "\u202f": " ",
    "\u2009": " ", "\u200b": "", "\ufeff": "", "\t": " ", "`": "'", "´": "'", "×": "x", "™": "(TM)", "©": "(C)",
    "→": "->", "←": "<-",
})  # fmt: skip


def plainer(text: str) -> str:
    """Return a text with typographic signs made plain where that alone brings it within GSM-7; else unchanged."""
    plain = text.translate(_PLAINER)
    return plain if within(plain) else text


def within(text: str) -> bool:
    """Whether a text can be sent in GSM-7."""
    return _ALPHABET.issuperset(text)
