"""Which passage a statement rests on when its writer names none: the one that has its words and all its numbers."""

import re
from collections.abc import Sequence

from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.units import read_units
from chatbot.knowledge.analysis.folding import fold
from chatbot.knowledge.analysis.words import analyse

_SHARE = 0.6
"""Of experts' answers to real questions 76% of the sentences have so many of their words in the right article."""

_LEAST_WORDS = 2
_MOST_NAMED = 3
_NUMBER = re.compile(r"\d+")
_REFUSAL = re.compile(
    r"\b(?:passages?|documents?|documentation|context|sources?|knowledge base|(?:provided|given) (?:text|information))"
    r"\b[^.!?\n]{0,60}\b(?:not|\w+n't|no)\b"
    r"|\b(?:no|not enough|insufficient) (?:information|details|mention)\b"
    r"|\bi(?:'m| am) (?:sorry|unable|afraid)\b"
    r"|\bi (?:don't|do not|couldn't|could not|can't|cannot) (?:know|find|have|see)\b"
    r"|\bno (?:he encontrado|encuentro|encontré|se menciona|dispongo|hay información|tengo información)\b|\blo siento\b"
    r"|\b(?:documentos?|documentación|pasajes?|contexto|fuentes?)\b[^.!?\n]{0,60}\bno\b"
    r"|پیدا نکردم|یافت نشد|یافت نکردم|ذکر نشده|اشاره نشده|اشاره ای نشده|نیامده است|متاسفانه|متاسفم|نمی ?دانم"
    r"|اطلاعاتی ندار"
)


def supporting(text: str, passages: Sequence[Passage]) -> list[int]:
    """The numbers of the passages that a text rests on, from 1, in the order of its statements; few at most."""
    held = [_words_of(passage) for passage in passages]
    found = [number for unit in read_units(text) if (number := _support_of(unit.text, passages, held))]
    return list(dict.fromkeys(found))[:_MOST_NAMED]


def _support_of(statement: str, passages: Sequence[Passage], held: Sequence[frozenset[str]]) -> int:
    """The number of the passage that a statement rests on; 0: none."""
    if refuses(statement):
        return 0
    shares = [_share(statement, passage.language, words) for passage, words in zip(passages, held, strict=True)]
    best = max(range(len(shares)), key=lambda at: shares[at])
    return best + 1 if shares[best] >= _SHARE else 0


def _share(statement: str, language: str, held: frozenset[str]) -> float:
    """Which part of a statement's words a passage has; none when it lacks one of its numbers."""
    words = [word.stem for word in analyse(statement, language).words]
    if len(words) < _LEAST_WORDS or any(_NUMBER.search(word) and word not in held for word in words):
        return 0.0
    return sum(word in held for word in words) / len(words)


def refuses(text: str) -> bool:
    """Whether a text says that the passages do not hold the answer, in whatever words."""
    return bool(_REFUSAL.search(fold(text)))


def _words_of(passage: Passage) -> frozenset[str]:
    text = "\n".join([passage.title, *passage.heading_path, passage.text])
    return frozenset(word.stem for word in analyse(text, passage.language).words)
