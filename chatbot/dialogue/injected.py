"""Knows text in a document that gives orders to a language model: planted there, it is nobody's answer."""

import re

from chatbot.knowledge.analysis.folding import fold, fold_accents

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,30}\b(?:instructions?|prompts?|rules)\b"
    r"|\b(?:reveal|show|print|repeat|output|leak)\b[^.!?\n]{0,20}\b(?:system|your|initial) (?:prompt|instructions)\b"
    r"|\byou are now (?:dan\b|in developer mode|an? unrestricted)"
    r"|\b(?:ignor[ae]|olvid[ae]|descart[ae])\b[^.!?\n]{0,30}\b(?:instrucciones|indicaciones|ordenes)\b"
    r"[^.!?\n]{0,20}\b(?:anteriores|previas|sistema)\b"
    r"|\b(?:revela|muestra|repite)\b[^.!?\n]{0,20}\b(?:prompt|instrucciones del sistema)\b"
    r"|(?:دستور|دستورالعمل|فرمان)\S*(?: \S+){0,3} (?:قبلی|پیشین|بالا)(?: \S+){0,4} (?:نادیده|فراموش)"
    r"|(?:نادیده|فراموش) (?:بگیر|کن)(?: \S+){0,4} (?:دستور|دستورالعمل)"
)


def speaks_to_a_model(text: str) -> bool:
    """Whether a text orders a model about ("ignore all previous instructions"), in English, Spanish or Persian."""
    return bool(_ORDERS.search(fold_accents(fold(text))))
