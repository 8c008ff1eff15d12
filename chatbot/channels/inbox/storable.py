"""Events made fit for the database: no U+0000, no half surrogates, keys of a bounded length."""

import hashlib
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from chatbot.channels.events import Message

MAX_KEY = 200


def clean(text: str) -> str:
    """Return a text that PostgreSQL can store."""
    text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def key(text: str) -> str:
    """Return a key of at most `MAX_KEY` characters: a longer one by its hash."""
    text = clean(text)
    return text if len(text) <= MAX_KEY else hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return dataclasses, times and tuples as JSON values; bytes by their number."""
    if isinstance(value, int | float | bool | None):
        return value
    if isinstance(value, bytes):
        return len(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {clean(str(name)): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return clean(value.isoformat() if isinstance(value, datetime) else str(value))


def words_of(message: Message) -> str:
    """Return what a message says in words: its text, a pressed button's title, a command."""
    if message.text.strip():
        return clean(message.text.strip())
    if message.choice:
        return clean((message.choice.title or message.choice.id).strip())
    return f"/{message.command}" if message.command else ""


def rest_of(message: Message) -> dict[str, Any]:
    """Return what of a message is not words, for agents to see."""
    found = {
        "location": message.location,
        "contacts": message.contacts,
        "choice": message.choice,
        "in_reply_to": message.in_reply_to,
        "command": message.command,
        "subject": message.subject,
    }
    return {name: plain(value) for name, value in found.items() if value}
