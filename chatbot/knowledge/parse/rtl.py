"""Persian and Arabic text in the order people read it, whatever order a file kept it in.

PDF keeps glyphs, not text: a line arrives as it is drawn, left to right, often in the glyph forms of
Unicode's compatibility blocks. Here a drawn line becomes a read one, and evidence from words and
letter positions tells which of a text and its reversal is the language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe"
_DIGIT = "0-9\u0660-\u0669\u06f0-\u06f9"
_RTL_DIGITS = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_RTL_LETTER = re.compile(f"[{_RTL}]")
_LETTER = re.compile(r"[^\W\d_]")
_FORMS = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
_WORD = re.compile(f"[{_RTL}\u200c]+")
# A run drawn left to right inside a right-to-left line: Latin words with what stands between them, or a number.
# After an Arabic letter a hyphen or percent sign is not part of a number (UAX #9, W2 and W4): 021-55 is drawn 55-021.
_LTR_RUN = re.compile(
    f"[^\\W\\d_{_RTL}](?:[^{_RTL}\u0660-\u0669\u06f0-\u06f9]*[^\\W_{_RTL}])?[/#]?"
    f"|[{_DIGIT}](?:[.,:/\u066b\u066c]?[{_DIGIT}])*"
)
_WITHIN_BRACKETS = re.compile(r"(?<=[ (\[«])[(\[«] +(?=\S)|(?<=\S) +[)\]»]|^[(\[«] +")
_MIRROR = str.maketrans("()[]{}<>«»", ")(][}{><»«")

# The words that make up a good part of any text in these languages, without diacritics.
_COMMON_WORDS = (
    "و در به از که این را با است برای آن یک خود تا کرد بر هم نیز می شود شما ما ها های یا اما هر شد اگر باید کنید "
    "کند شده بود دارد نمی چه کار اين هست من في على إلى الى أن ان هذا هذه التي الذي عن مع لا كان أو او كل بعد قبل "
    "غير ذلك هو هي تم يمكن إذا اذا كما بين عند حتى لم لن قد ثم يكون خلال کے کی ہے میں سے کو"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_ONLY_LAST = "ةى"
_STARTS = ("ال", "وال", "بال", "می", "نمی")
_ENDS = ("های", "ها", "ترین", "ات", "ون", "ین", "ية", "شود", "کنید")


def is_rtl(text: str) -> bool:
    """Whether right-to-left letters are at least a fifth of the letters."""
    rtl = sum(1 for char in _LETTER.findall(text) if _RTL_LETTER.match(char))
    return rtl * 5 >= len(_LETTER.findall(text)) > 0


def plain_forms(text: str) -> str:
    """Arabic glyph forms (U+FB50–FDFF, U+FE70–FEFC) as the letters they show; all else untouched."""
    return _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)


def visual_to_logical(line: str) -> str:
    """A right-to-left line as drawn (left to right) in reading order; Latin and numbers keep theirs."""
    if not _RTL_LETTER.search(line) and not _RTL_DIGITS.search(line):
        return line
    parts, at = [], 0
    for run in _LTR_RUN.finditer(line):
        parts.extend(_clusters(line[at : run.start()]))
        parts.append(run.group())
        at = run.end()
    parts.extend(_clusters(line[at:]))
    read = [part if _LTR_RUN.fullmatch(part) else part.translate(_MIRROR) for part in reversed(parts)]
    mirrored, kept = "".join(read), "".join(reversed(parts))
    return paired(kept if _inverted(mirrored) and not _inverted(kept) else mirrored)


def paired(text: str) -> str:
    """Right-to-left text whose brackets were all kept as opening (or closing) ones, with pairs of them.

    Around Latin words both are often drawn as one, with the spaces on their wrong sides.
    """
    for opening, closing in ("()", "[]", "«»"):
        if min(text.count(opening), text.count(closing)) or (text.count(opening) + text.count(closing)) % 2:
            continue
        parts = re.split(f"[{re.escape(opening + closing)}]", text)
        for at in range(1, len(parts), 2):
            before, within, after = parts[at - 1], parts[at], parts[at + 1]
            parts[at - 1] = f"{before} " if before[-1:].strip() and within[:1].isspace() else before
            parts[at + 1] = f" {after}" if after[:1].strip() and within[-1:].isspace() else after
            parts[at] = f"{opening}{within}{closing}"
        text = "".join(parts)
    return _WITHIN_BRACKETS.sub(lambda found: found.group().strip(" "), text)


def reversal_evidence(text: str) -> float:
    """Evidence that letters run backwards: above 0 reversed, below 0 as it should be, 0 unknown.

    Counts words every text is full of, and letters and endings that have their place in a word, in the
    text and in its reversal.
    """
    words = _WORD.findall(plain_forms(text))
    if len(words) < 3:
        return 0.0
    forward = sum(_evidence(word) for word in words)
    backward = sum(_evidence(word[::-1]) for word in words)
    return backward - forward if abs(backward - forward) >= max(1.0, 0.03 * len(words)) else 0.0


def repair(pages: Sequence[str]) -> tuple[list[str], bool]:
    """Pages with reversed lines set right and glyph forms made letters; whether any was turned.

    A page with enough words speaks for itself, a short one follows the whole document.
    """
    whole = reversal_evidence("\n".join(pages))
    mended, turned = [], False
    for page in pages:
        own = reversal_evidence(page) if len(_WORD.findall(page)) >= 20 else 0.0
        lines = page.split("\n")
        if (own or whole) > 0:
            lines = [visual_to_logical(line) for line in lines]
            turned = True
        mended.append(plain_forms("\n".join(lines)))
    return mended, turned


def _evidence(word: str) -> float:
    if word in _COMMON:
        return 1.0
    if len(word) < 4:
        return 0.0
    score = 0.5 * word.startswith(_STARTS) + 0.25 * word.endswith(_ENDS) + 0.5 * (word[-1] in _ONLY_LAST)
    return score - 0.5 * (word[0] in _ONLY_LAST)


def _clusters(text: str) -> list[str]:
    """Letters with the marks that sit on them, so a reversal does not move a mark to its neighbour."""
    clusters: list[str] = []
    for char in text:
        if clusters and unicodedata.combining(char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _inverted(line: str) -> bool:
    """Whether brackets close before they open."""
    depth = 0
    for char in line:
        depth += (char in "([{«") - (char in ")]}»")
        if depth < 0:
            return True
    return False
