"""Follow-up questions: tells whether one needs the conversation to be understood, and completes it from there.

    "How do I reset my password on iPhone?" … "and on Android?"  →  "and on Android? Android reset password iPhone"

The rule costs no model call. With a model on, one may write the completed question, only when the rule says so.
"""

import re
from collections.abc import Sequence

from chatbot.dialogue.history import Said
from chatbot.dialogue.smalltalk import small_talk
from chatbot.knowledge.analysis.folding import fold, fold_accents
from chatbot.knowledge.analysis.words import analyse

_SHORT = 8  # words; a longer question carries its own subject
_SALIENT = 12  # words taken over from earlier questions
_LOOK_BACK = 3  # questions

_OPENS = re.compile(
    r"(?:and|or|but|also|then|so|what about|how about|what if|why not|which one|y|e|o|pero|entonces|tambien|que tal|"
    r"que pasa con|y si|و|یا|اما|ولی|پس|همچنین|در مورد|درباره|اگر|چرا نه|کدام یک|چطور برای)\s"
)
_POINTS = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|there|one|ones|same|instead|otherwise|either|eso|esto|ese|esa|esos|"
    r"esas|aquello|ello|ellos|ellas|alli|ahi|mismo|misma|lo|"
    r"ان|این|اون|اینو|اونو|انها|اینها|اونا|اینا|همان|همین|همون|همینو|انجا|اینجا|اونجا|دیگری|بقیه)\b"
)
_NOT_WORDS = re.compile(r"[^\w\s]")


def depends(question: str, language: str, history: Sequence[Said]) -> bool:
    """Whether a question is understood from the conversation only.

    It is short, and it opens with a connective ("and", «و», "¿y"), points back ("it", «آن», "eso") or names a
    single thing ("Android?").
    """
    if not _questions(history):
        return False
    # The Persian alef with madda is told apart nowhere here: «آن» is often typed «ان».
    words = " ".join(_NOT_WORDS.sub(" ", fold_accents(fold(question)).replace("آ", "ا")).split())
    if not words or len(words.split()) > _SHORT:
        return False
    return bool(_OPENS.match(f"{words} ") or _POINTS.search(words) or says_little(question, language))


def says_little(question: str, language: str) -> bool:
    """Whether a question has one word of its own at most ("Android?", "and how?")."""
    return len(analyse(question, language).words) <= 1


def complete(question: str, language: str, history: Sequence[Said]) -> str:
    """Return the question with what earlier ones were about; its own words count twice."""
    own = _content(question, language)
    earlier: list[str] = []
    for said in _questions(history)[: -_LOOK_BACK - 1 : -1]:
        asked = said.language or language
        earlier += [word for word in _content(said.text, asked) if word not in earlier and word not in own]
        if not depends(said.text, asked, history[: history.index(said)]):
            break
    return " ".join([question, *own, *earlier[:_SALIENT]])


def _questions(history: Sequence[Said]) -> list[Said]:
    return [said for said in history if said.role == "visitor" and not small_talk(said.text, said.language or "en")]


def _content(text: str, language: str) -> list[str]:
    return list(dict.fromkeys(word.text for word in analyse(text, language).words))
