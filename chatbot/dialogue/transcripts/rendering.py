"""A transcript as text, as a mail and as rows; Persian from right to left with its own dates and digits."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from chatbot.core.localized import clock, day, day_and_time, isolate, line, number
from chatbot.dialogue.transcripts.schemas import Transcript, TranscriptMessage
from chatbot.dialogue.transcripts.words import word

CSV_HEADER = ("seq", "created_at", "role", "name", "text", "sources", "files")
_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>#|~"})


def as_text(transcript: Transcript, zone: ZoneInfo) -> str:
    """Return a transcript as a text that reads well in the language of its visitor."""
    language, begun = transcript.language, transcript.created_at.astimezone(zone)
    head = [
        f"{word('conversation', language)} · {isolate(transcript.brand_name, language)}",
        _visitor(transcript),
        f"{word('begun', language)}: {day_and_time(begun, language)} {isolate(zone.key, language)}",
        f"{word('channel', language)}: {isolate(transcript.channel_type, language)}",
        isolate(str(transcript.conversation_id), language),
    ]
    lines = [line(each, language) for each in head]
    if transcript.omitted:
        lines += ["", line(_omitted(transcript), language)]
    return "\n".join([*lines, *message_lines(transcript.messages, language, zone)]) + "\n"


def message_lines(messages: Iterable[TranscriptMessage], language: str, zone: ZoneInfo) -> Iterator[str]:
    """Give messages line by line: a line for each new day, who spoke when, and what was said."""
    last: date | None = None
    for message in messages:
        moment = message.created_at.astimezone(zone)
        if moment.date() != last:
            last = moment.date()
            yield from ("", line(f"—— {day(moment, language)} ——", language))
        yield from ("", line(f"[{clock(moment, language)}] {isolate(message.name, language)}", language))
        yield from message.text.splitlines()
        yield from (line(f"{word('file', language)}: {isolate(name, language)}", language) for name in message.files)
        if message.sources:
            yield line(f"{word('sources', language)}:", language)
            for source in message.sources:
                where = f" · {isolate(source.url, language)}" if source.url else ""
                yield line(f"[{source.index}] {isolate(source.title, language)}{where}", language)


def as_markdown(transcript: Transcript, zone: ZoneInfo) -> str:
    """Return a transcript as the text of a mail; what people wrote is shown as it was written."""
    language = transcript.language
    parts = [word("mail_intro", language)]
    parts += [_omitted(transcript)] if transcript.omitted else []
    last: date | None = None
    for message in transcript.messages:
        moment = message.created_at.astimezone(zone)
        said = _literal(message.text) if message.role != "bot" else message.text
        said += "".join(f"\n{word('file', language)}: {_literal(name)}" for name in message.files)
        when = clock(moment, language) if moment.date() == last else day_and_time(moment, language)
        parts.append(f"**{_literal(message.name)}** · {when}\n\n{said}")
        last = moment.date()
    return "\n\n".join(parts)


def as_rows(messages: Sequence[TranscriptMessage]) -> Iterator[tuple[object, ...]]:
    """Give messages as rows under `CSV_HEADER`."""
    for message in messages:
        sources = "; ".join(source.title for source in message.sources)
        at = message.created_at.isoformat()
        yield message.seq, at, message.role, message.name, message.text, sources, "; ".join(message.files)


def _visitor(transcript: Transcript) -> str:
    known = [part for part in (transcript.visitor.name, transcript.visitor.email) if part]
    language = transcript.language
    said = " · ".join(isolate(part, language) for part in known) or "—"
    return f"{word('visitor', language)}: {said}"


def _omitted(transcript: Transcript) -> str:
    count = number(transcript.omitted, transcript.language)
    return word("omitted", transcript.language).format(count=count)


def _literal(text: str) -> str:
    return text.translate(_MARKDOWN)
