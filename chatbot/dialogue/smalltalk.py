"""Knows a message that asks for nothing in the knowledge: greetings, thanks, "ok", "who are you?", `/exit`, "and?"."""

import re
from collections.abc import Mapping
from typing import Literal

from chatbot.knowledge.analysis.folding import fold, fold_accents

SmallTalk = Literal["greeting", "thanks", "bye", "ok", "who", "unclear", "wordless"]

_MAX_CHARS = 60
_PHRASES: dict[str, dict[SmallTalk, str]] = {
    "en": {
        "greeting": "hi|hello|hey|hiya|hello there|hi there|hey there|good morning|good afternoon|good evening|"
        "greetings|start|"
        "how are you|how are you doing|how is it going|whats up|what's up|hi all|hi team|"
        "anybody there|is anyone there|"
        "are you there",
        "thanks": "thanks|thank you|thx|ty|cheers|many thanks|thanks a lot|thank you very much|thank you so much|"
        "thanks so much|much appreciated|that helps|that helped|no thanks|no thank you",
        "bye": "bye|goodbye|good bye|bye bye|see you|see ya|good night|have a nice day|have a good day|"
        "take care|exit|quit",
        "ok": "alright|all right|fine|got it|understood|i see|i understand|makes sense|perfect|great|"
        "excellent|awesome|"
        "nice|cool|good|very good|sure|done|no|nope|nah|that's all|that is all|that's it|"
        "nothing else|nothing|never mind|"
        "nevermind|it works|it works now|it worked|that worked|works now|solved|oh|ah|aha|wow|lol|haha",
        "who": "who are you|what are you|who is this|are you a bot|are you a robot|are you an ai|are you human|"
        "are you a human|are you a person|are you a real person|are you real|am i talking to a bot|"
        "am i talking to a person|is this a bot|what is your name|what's your name|your name|what can you do|"
        "what do you do|how can you help|how can you help me|what can i ask|what can i ask you|help|help me|"
        "help me please|i need help|i need some help|can you help|can you help me|i have a question",
        "unclear": "and|so|but|or|then|and then|so what|what|huh|hm|hmm|um|well|yes|yeah|yep|yup|test|testing|more",
    },
    "es": {
        "greeting": "hola|buenas|buenos dias|buenas tardes|buenas noches|que tal|hola que tal|como estas|como esta|"
        "hola buenas|saludos|hay alguien|estas ahi|hay alguien ahi",
        "thanks": "gracias|muchas gracias|mil gracias|muy amable|gracias por todo|gracias por la ayuda|no gracias",
        "bye": "adios|hasta luego|hasta pronto|chao|chau|nos vemos|hasta manana|que tenga buen dia|salir",
        "ok": "vale|de acuerdo|perfecto|genial|estupendo|excelente|entendido|entiendo|listo|bien|"
        "muy bien|esta bien|claro|"
        "bueno|ya|ya veo|ya esta|comprendo|no|nada|nada mas|no nada mas|eso es todo|funciona|"
        "ya funciona|resuelto|aja|dale",
        "who": "quien eres|quien es usted|que eres|eres un bot|eres un robot|eres humano|eres humana|"
        "eres una persona|"
        "eres real|es usted un bot|es usted una persona|hablo con un bot|hablo con una persona|"
        "estoy hablando con un bot|estoy hablando con una persona|como te llamas|como se llama|cual es tu nombre|"
        "que puedes hacer|que sabes hacer|en que puedes ayudarme|como puedes ayudarme|ayuda|ayudame|necesito ayuda|"
        "puedes ayudarme|me puedes ayudar|me puede ayudar|me ayudas|tengo una pregunta|tengo una duda",
        "unclear": "y|pero|o|entonces|y entonces|que|como|eh|mmm|si|prueba|mas",
    },
    "fa": {
        "greeting": "سلام|درود|سلام علیکم|سلام وقت بخیر|وقت بخیر|وقتتون بخیر|صبح بخیر|عصر بخیر|ظهر بخیر|شب بخیر|"
        "روز بخیر|"
        "خسته نباشید|سلام خوبی|سلام خوبید|حالت چطوره|حال شما|حالتون چطوره|خوبی|خوبید|چطوری|چطورید|"
        "سلام دوست عزیز|هستید|"
        "کسی هست|کسی هستش",
        "thanks": "ممنون|ممنونم|مرسی|متشکرم|تشکر|سپاس|سپاسگزارم|خیلی ممنون|خیلی ممنونم|دستت درد نکنه|"
        "دستتون درد نکنه|"
        "با تشکر|ممنون از شما|مرسی ممنون|لطف کردید|دمت گرم|ممنون از راهنمایی شما|نه ممنون|نه مرسی",
        "bye": "خداحافظ|خدانگهدار|خدا نگهدار|خدافظ|بدرود|به امید دیدار|فعلا|روز خوبی داشته باشید|موفق باشید|خروج",
        "ok": "باشه|باشد|اوکی|اکی|اوکیه|اوکی شد|خب|خوب|خوبه|بسیار خوب|خیلی خوب|خیلی خوبه|عالی|عالیه|"
        "عالی بود|حله|حل شد|"
        "درست شد|فهمیدم|متوجه شدم|گرفتم|درسته|صحیح|چشم|قبول|نه|نخیر|همین|همین بود|هیچی|دیگه هیچی|"
        "آها|آهان|اها|اهان|بله متوجه شدم",
        "who": "کی هستی|تو کی هستی|شما کی هستید|شما کی هستین|شما که هستید|اسمت چیه|اسم تو چیه|اسم شما چیه|"
        "اسمتون چیه|"
        "نام شما چیست|ربات هستی|شما ربات هستید|آیا شما ربات هستید|رباتی|تو رباتی|شما رباتید|"
        "انسان هستی|آدمی|شما انسان هستید|"
        "چه کار می‌کنی|چیکار می‌کنی|چیکار می‌تونی بکنی|چه کاری می‌تونی انجام بدی|چه کمکی می‌تونی بکنی|"
        "چه کمکی می‌توانید بکنید|کمک|کمکم کن|کمکم کنید|کمک می‌خوام|کمک می‌خواهم|راهنمایی|راهنماییم کنید|"
        "می‌تونی کمکم کنی|می‌تونید کمکم کنید|می‌توانید کمکم کنید|میشه کمکم کنید|میشه کمک کنید|"
        "سوال دارم|یه سوال دارم|یک سوال دارم",
        "unclear": "و|خب که چی|بعد|بعدش|خب بعد|یعنی چی|چی|چه|هان|بله|بلی|آره|اره|تست|بیشتر",
    },
    "ar": {
        "greeting": "مرحبا|السلام علیکم|اهلا|صباح الخیر|مساء الخیر",
        "thanks": "شکرا|شکرا جزیلا|لا شکرا",
        "bye": "مع السلامه|الی اللقاء",
        "ok": "حسنا|تمام|طیب|فهمت|لا|ممتاز",
        "who": "من انت|هل انت روبوت|ما اسمک|مساعده|ساعدنی",
        "unclear": "نعم|ماذا",
    },
    "fr": {
        "greeting": "bonjour|salut|bonsoir|coucou",
        "thanks": "merci|merci beaucoup|non merci",
        "bye": "au revoir|a bientot",
        "ok": "d'accord|parfait|compris|je vois|super|tres bien|bien|non|c'est tout",
        "who": "qui etes vous|qui es tu|etes vous un robot|es tu un robot|aide|aidez moi",
        "unclear": "et|oui|quoi|alors",
    },
    "de": {
        "greeting": "hallo|guten tag|guten morgen|guten abend|moin",
        "thanks": "danke|vielen dank|danke schon|nein danke",
        "bye": "tschuss|auf wiedersehen",
        "ok": "in ordnung|alles klar|gut|verstanden|verstehe|super|perfekt|nein|das ist alles",
        "who": "wer bist du|wer sind sie|bist du ein bot|sind sie ein bot|hilfe",
        "unclear": "und|ja|was|also",
    },
    "pt": {
        "greeting": "ola|oi|bom dia|boa tarde|boa noite",
        "thanks": "obrigado|obrigada|muito obrigado|nao obrigado|nao obrigada",
        "bye": "tchau|ate logo",
        "ok": "ta bom|certo|entendi|perfeito|otimo|beleza|nao|e so isso",
        "who": "quem e voce|voce e um robo|ajuda|preciso de ajuda",
        "unclear": "sim|o que|entao",
    },
}
_EVERYWHERE: dict[SmallTalk, str] = {"ok": "ok|okay|okey|k|kk"}
_FILLERS = "there|dear|friend|friends|team|all|everyone|then|amigo|amigos|equipo|entonces|عزیز|دوستان|جان|پس"
_NOT_WORDS = re.compile(r"[^\w\s]|_")

_COMMAND = re.compile(r"/([a-z_]{1,32})(?:@\w+)?", re.IGNORECASE)
_START = re.compile(r"/start(?:@\w+)?(?:\s+\S+)?", re.IGNORECASE)  # with what a link into a messenger adds
_COMMANDS: dict[str, SmallTalk] = {
    **dict.fromkeys(("exit", "quit", "stop", "end", "close", "bye", "cancel"), "bye"),
    **dict.fromkeys(("help", "about", "menu"), "who"),
}
_SIGNS: tuple[tuple[str, SmallTalk], ...] = (
    ("🙏❤💐🌹💙💚", "thanks"),
    ("👍👌✅🙂😊😀😃😄🎉👏🤝", "ok"),
    ("👋", "greeting"),
)


def plain_words(text: str) -> str:
    """The words of a text, folded, with one space between them and nothing else."""
    return " ".join(_NOT_WORDS.sub(" ", fold_accents(fold(text))).split())


def phrase_pattern(phrases: str) -> str:
    """A pattern of phrases (`|` between them), longest first; a half space of Persian is often typed as none at all."""
    plain = sorted({plain_words(one) for one in phrases.split("|")}, key=lambda one: (-len(one), one))
    return "|".join(re.escape(one).replace("می\\ ", "می\\ ?") for one in plain)


_KINDS: tuple[SmallTalk, ...] = ("greeting", "thanks", "bye", "ok", "who", "unclear")
_ONLY_ALONE: tuple[SmallTalk, ...] = ("ok", "unclear")
"""`ok, bye` is a goodbye, and so is `bye, ok`."""


def _whole(kinds: Mapping[SmallTalk, str]) -> re.Pattern[str]:
    phrases = {kind: "|".join(filter(None, (kinds.get(kind), _EVERYWHERE.get(kind)))) for kind in _KINDS}
    groups = [f"(?P<{kind}>{phrase_pattern(said)})" for kind, said in phrases.items() if said]
    return re.compile(f"(?:(?:{'|'.join(groups)}|(?:{_FILLERS}))(?:\\s+|$))+")


_WHOLE = {language: _whole(kinds) for language, kinds in _PHRASES.items()}
_WHOLE_OTHERS = _whole({})


def small_talk(text: str, language: str = "en") -> tuple[SmallTalk, str] | None:
    """Return what kind of small talk a message is and its language; None when it asks for anything more.

    A message of several kinds (`hello, thanks!`) counts as the last of them, `ok` and the like only when alone.

    Args:
        language: of the conversation, for what is said alike in several (`ok`, `no`, 👍).
    """
    if len(text) > _MAX_CHARS or not text.strip():
        return None
    words = plain_words(text)
    if kind := _command(text.strip()) or (_sign(text) if not words else None):
        return kind, language
    for spoken in dict.fromkeys((language, *_WHOLE)):
        found = _WHOLE.get(spoken, _WHOLE_OTHERS).fullmatch(words)
        if found and (kinds := [kind for kind in _KINDS if found.groupdict().get(kind)]):
            return max(kinds, key=lambda kind: (kind not in _ONLY_ALONE, found.end(kind))), spoken
    return None


def _command(text: str) -> SmallTalk | None:
    """What a messenger's command asks for; an unknown one is not searched for either."""
    if _START.fullmatch(text):
        return "greeting"
    command = _COMMAND.fullmatch(text)
    return _COMMANDS.get(command.group(1).lower(), "unclear") if command else None


def _sign(text: str) -> SmallTalk:
    """What a message without any word says."""
    return next((kind for signs, kind in _SIGNS if any(sign in text for sign in signs)), "unclear")
