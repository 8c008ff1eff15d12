"""Knows a message that is nothing but a greeting, thanks or a goodbye, so that nothing is searched for it."""

import re
from typing import Literal

from chatbot.knowledge.analysis.folding import fold, fold_accents

SmallTalk = Literal["greeting", "thanks", "bye", "wordless"]

_MAX_CHARS = 60
_PHRASES: dict[str, dict[SmallTalk, str]] = {
    "en": {
        "greeting": "hi|hello|hey|hiya|hello there|hi there|hey there|good morning|good afternoon|good evening|"
        "greetings|start|"
        "how are you|how are you doing|how is it going|whats up|hi all|hi team|anybody there|is anyone there",
        "thanks": "thanks|thank you|thx|ty|cheers|many thanks|thanks a lot|thank you very much|thank you so much|"
        "thanks so much|much appreciated|great thanks|ok thanks|okay thanks|perfect thanks|ok thank you|got it thanks|"
        "that helps|that helped",
        "bye": "bye|goodbye|good bye|bye bye|see you|see ya|good night|have a nice day|have a good day|take care",
    },
    "es": {
        "greeting": "hola|buenas|buenos dias|buenas tardes|buenas noches|que tal|hola que tal|como estas|como esta|"
        "hola buenas|saludos|hay alguien",
        "thanks": "gracias|muchas gracias|mil gracias|ok gracias|vale gracias|perfecto gracias|muy amable|"
        "gracias por todo|gracias por la ayuda",
        "bye": "adios|hasta luego|hasta pronto|chao|chau|nos vemos|hasta manana|que tenga buen dia",
    },
    "fa": {
        "greeting": "سلام|درود|سلام علیکم|سلام وقت بخیر|وقت بخیر|وقتتون بخیر|صبح بخیر|عصر بخیر|ظهر بخیر|شب بخیر|"
        "روز بخیر|"
        "خسته نباشید|سلام خوبی|سلام خوبید|حالت چطوره|حال شما|حالتون چطوره|خوبی|خوبید|چطوری|چطورید|سلام دوست عزیز|هستید",
        "thanks": "ممنون|ممنونم|مرسی|متشکرم|تشکر|سپاس|سپاسگزارم|خیلی ممنون|خیلی ممنونم|دستت درد نکنه|دستتون درد نکنه|"
        "با تشکر|ممنون از شما|مرسی ممنون|لطف کردید|دمت گرم|ممنون از راهنمایی شما",
        "bye": "خداحافظ|خدانگهدار|خدا نگهدار|خدافظ|بدرود|به امید دیدار|فعلا|روز خوبی داشته باشید|موفق باشید",
    },
    "ar": {
        "greeting": "مرحبا|السلام علیکم|اهلا|صباح الخیر|مساء الخیر",
        "thanks": "شکرا|شکرا جزیلا",
        "bye": "مع السلامه|الی اللقاء",
    },
    "fr": {
        "greeting": "bonjour|salut|bonsoir|coucou",
        "thanks": "merci|merci beaucoup",
        "bye": "au revoir|a bientot",
    },
    "de": {
        "greeting": "hallo|guten tag|guten morgen|guten abend|moin",
        "thanks": "danke|vielen dank|danke schon",
        "bye": "tschuss|auf wiedersehen",
    },
    "pt": {
        "greeting": "ola|oi|bom dia|boa tarde|boa noite",
        "thanks": "obrigado|obrigada|muito obrigado",
        "bye": "tchau|ate logo",
    },
}
_FILLERS = "there|dear|friend|friends|team|all|everyone|amigo|amigos|equipo|عزیز|دوستان|جان|ok|okay|vale|باشه|خب"
_NOT_WORDS = re.compile(r"[^\w\s]|_")


def _plain(text: str) -> str:
    return " ".join(_NOT_WORDS.sub(" ", fold_accents(fold(text))).split())


def _pattern(phrases: str) -> str:
    return "|".join(sorted((re.escape(_plain(one)) for one in phrases.split("|")), key=len, reverse=True))


_KINDS: tuple[SmallTalk, ...] = ("greeting", "thanks", "bye")
_WHOLE = {
    language: re.compile(
        "(?:(?:" + "|".join(f"(?P<{kind}>{_pattern(kinds[kind])})" for kind in _KINDS) + f"|(?:{_FILLERS}))(?:\\s+|$))+"
    )
    for language, kinds in _PHRASES.items()
}


def small_talk(text: str) -> tuple[SmallTalk, str] | None:
    """Return what kind of small talk a message is and its language; None when it says anything more.

    A message of several kinds (`hello, thanks!`) counts as the last of them.
    """
    words = _plain(text)
    if not words or len(text) > _MAX_CHARS:
        return None
    for language, pattern in _WHOLE.items():
        found = pattern.fullmatch(words)
        if found and (kinds := [kind for kind in _KINDS if found.group(kind)]):
            return max(kinds, key=found.end), language
    return None
