"""The words of a transcript by language; English where there are none."""

from typing import Literal

Word = Literal[
    "visitor", "bot", "agent", "system", "begun", "conversation", "channel", "sources", "file", "omitted",
    "mail_subject", "mail_intro",
]  # fmt: skip

_WORDS: dict[str, dict[Word, str]] = {
    "en": {
        "visitor": "Visitor",
        "bot": "Assistant",
        "agent": "Agent",
        "system": "Note",
        "begun": "Begun",
        "conversation": "Conversation",
        "channel": "Channel",
        "sources": "Sources",
        "file": "File",
        "omitted": "{count} earlier messages are left out.",
        "mail_subject": "Your conversation with {brand}",
        "mail_intro": "This is the conversation that you asked for.",
    },
    "es": {
        "visitor": "Visitante",
        "bot": "Asistente",
        "agent": "Agente",
        "system": "Nota",
        "begun": "Inicio",
        "conversation": "Conversación",
        "channel": "Canal",
        "sources": "Fuentes",
        "file": "Archivo",
        "omitted": "Se omiten {count} mensajes anteriores.",
        "mail_subject": "Su conversación con {brand}",
        "mail_intro": "Esta es la conversación que ha pedido.",
    },
    "fa": {
        "visitor": "بازدیدکننده",
        "bot": "دستیار",
        "agent": "کارشناس",
        "system": "یادداشت",
        "begun": "آغاز",
        "conversation": "گفتگو",
        "channel": "کانال",
        "sources": "منابع",
        "file": "فایل",
        "omitted": "{count} پیام پیشین آورده نشده است.",
        "mail_subject": "گفتگوی شما با {brand}",
        "mail_intro": "این همان گفتگویی است که خواسته بودید.",
    },
}


def word(name: Word, language: str) -> str:
    """Return a word in a language."""
    return _WORDS.get(language, _WORDS["en"])[name]
