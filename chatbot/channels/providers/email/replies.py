"""What is new in a reply: quoted mails and signatures cut off, never so much that nothing is left.

Header lines ("On … wrote:") are found by mail-parser-reply's patterns for its languages and by ours for others and for
those that it misses. Its signature patterns are not run over whole mails: they need minutes for a few thousand blank
lines, and they cut everything behind a line that begins with "Thanks,".
"""

import re

from mailparser_reply.constants import MAIL_LANGUAGES  # type: ignore[import-untyped]
from mailparser_reply.parser import EmailMessage  # type: ignore[import-untyped]

MAX_CHARS = 60_000
# A hostile text costs the patterns the cube of a line's length: longer lines are no "On … wrote:", nor is the far end.
_MAX_LINE = 200
_MAX_SEARCHED = 20_000
_MAX_CARD = 8  # lines of a name, a company and its addresses
_LANGUAGES = ["en", "de", "es", "fr", "it", "nl", "pl", "sv", "da", "cs", "ja", "ko", "zh"]
_LIBRARY = EmailMessage(text="", languages=list(_LANGUAGES)).HEADER_REGEX
_MARK = "[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
_MARKS = f"{_MARK}*"
_RUN_OF_MARKS = re.compile(f"({_MARK}{{2}}){_MARK}+")
_WROTE = re.compile(
    rf"^{_MARKS}(?:> ?)*{_MARKS}(?:"
    r"(?:در|روز|به تاریخ)\s[^\n]{3,200}?(?:\n[^\n]{1,120})?(?:نوشت|نوشته است|نوشتند|نوشته‌اند)"
    r"|(?:في|بتاريخ|يوم|وفي)\s[^\n]{3,200}?(?:\n[^\n]{1,120})?(?:كتب|كتبت|كَتَب|بواسطة|أرسل)(?:\s[^\n]{0,120})?"
    r"|El\s[^\n]{3,200}?(?:\n[^\n]{1,120})?escribió"
    r"|Em\s[^\n]{3,200}?(?:\n[^\n]{1,120})?escreveu"
    r"|[^\n]{3,200}?(?:\n[^\n]{1,120})?(?:написал\(?а?\)?|пишет|yazdı|tarihinde şunu yazdı)"
    r"|On\s[^\n]{3,200}\n?[^\n]{0,120}\n?\s?wrote"
    rf"){_MARKS}\s?[:：]{_MARKS}$",
    re.MULTILINE,
)
_SOMEBODYS = re.compile(rf"^[^\n>]{{0,200}}@[^\n]{{1,80}}[:：]{_MARKS}$(?=\n+>)", re.MULTILINE)
_BLOCK = re.compile(
    r"^[* ]*(?:من|از|От|De|Kimden|From)\s?:[^\n]*\n"
    r"(?:[* ]*(?:إلى|به|تم الإرسال|ارسال شده|تاريخ|تاریخ|التاريخ|الموضوع|موضوع|Кому|Дата|Отправлено|Тема|Kime|Konu|"
    r"Gönderme|Para|Enviado|Enviada em|Assunto|Asunto|Data|Sent|To|Subject|Date|Cc|نسخة|رونوشت)[* ]*\s?:[^\n]*\n?){2,}",
    re.MULTILINE,
)
_ORIGINAL = re.compile(
    r"^\s*-{2,} ?(?:Original Message|Mensaje original|Mensagem original|Message d'origine|Ursprüngliche Nachricht|"
    r"Messaggio originale|Исходное сообщение|پیام اصلی|الرسالة الأصلية) ?-{2,}$",
    re.MULTILINE | re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"forwarded message|weitergeleitete nachricht|mensaje reenviado|message transféré|الرسالة المعاد توجيهها"
    r"|پیام بازارسال|begin forwarded|пересылаемое сообщение",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[ \t]*[-_*=]{5,}[ \t]*$")
_DELIMITER = re.compile(r"^(?:--|__|—|-- ?|[-_]{32,})$")
_INITIALLED = re.compile(r"^[-–—][^\W\d_]\w*(?: \w+){0,3}$")


def _either(key: str, ours: str) -> str:
    """The library's words of all its languages, and ours."""
    values = (MAIL_LANGUAGES[language].get(key, "") for language in _LANGUAGES)
    found = [text for value in values for text in ([value] if isinstance(value, str) else value) if text]
    return "|".join([*found, ours])


_DEVICES = "ارسال شده از|فرستاده شده از|أُرسلت من|أرسلت من|تم الإرسال من|Enviado do meu|Отправлено с|Gönderen:"
_REGARDS = (
    "با احترام|با تشکر|با سپاس|ارادتمند|مع تحياتي|مع خالص|تحياتي|مع التحية|وتفضلوا|Saludos|Atentamente|Cordialmente|"
    "Atenciosamente|С уважением|Saygılarımla|Regards|Sincerely|Cheers,|Yours"
)
_SENT_FROM = re.compile(rf"^(?:{_either('sent_from', _DEVICES)})(?: ?[\w.<>:/()’' -]{{0,80}})$", re.IGNORECASE)
_CLOSING = re.compile(rf"^(?:{_either('signatures', _REGARDS)})", re.IGNORECASE)


def new_text(body: str) -> str:
    """Return what the writer of a mail added; the whole body where everything looks quoted."""
    text = _normal(body[:MAX_CHARS])
    answer = _without_quotes(text)
    return _without_signature(answer) or answer or text.strip()


def _normal(text: str) -> str:
    """Lines without trailing blanks; no long runs of empty lines and direction marks, which cost the patterns much."""
    lines = "\n".join(line.rstrip() for line in _RUN_OF_MARKS.sub(r"\1", text).splitlines())
    return re.sub(r"\n{4,}", "\n\n\n", lines)


def _without_quotes(text: str) -> str:
    start, end = _first_header(text)
    before, after = text[:start], text[end:]
    if _FORWARDED.search(before[-200:]) or _FORWARDED.search(text[start:end]):
        return text.strip()
    # A quote marked by > may be answered between its lines or below; an unmarked one goes on to the end.
    below = _without_quotes(_unmarked(after)) if after.lstrip().startswith(">") else ""
    kept = _unmarked(before).split("\n")
    while kept and (not kept[-1].strip() or _RULE.match(kept[-1])):
        kept.pop()
    return "\n\n".join(filter(None, ("\n".join(kept).strip(), below)))


def _unmarked(text: str) -> str:
    """The lines that are not marked as quoted."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(">"))


def _first_header(text: str) -> tuple[int, int]:
    """Where the first quoted mail's header begins and ends; the end of the text twice when there is none."""
    lines = text[:_MAX_SEARCHED].split("\n")
    searched = "\n".join(line if len(line) <= _MAX_LINE else "\0" * len(line) for line in lines)
    patterns = (_WROTE, _SOMEBODYS, _BLOCK, _ORIGINAL, _LIBRARY)
    found = [match.span() for pattern in patterns if (match := pattern.search(searched))]
    return min(found, default=(len(text), len(text)))


def _without_signature(text: str) -> str:
    """Cut at the first line that opens a signature; the first line of a mail opens none."""
    lines = text.split("\n")
    filled = [(number, line.strip()) for number, line in enumerate(lines) if line.strip()]
    for at, (number, line) in enumerate(filled):
        below = [rest for _, rest in filled[at + 1 : at + 2 + _MAX_CARD]]
        if number and _opens_signature(line, below):
            return "\n".join(lines[:number]).strip()
    return text.strip()


def _opens_signature(line: str, below: list[str]) -> bool:
    """Whether a line opens one; `below`: the lines that follow, not all of them where they are too many for a card."""
    if _DELIMITER.match(line):
        return True
    card = len(below) <= _MAX_CARD and all(len(rest) <= 80 for rest in below)
    if _SENT_FROM.match(line) and len(line) <= 100:
        return card
    # A closing is a line of a few words before a name and an address, not a sentence that begins with thanks.
    if _CLOSING.match(line) and len(line.split()) <= 4:
        return card and not any(rest.endswith(("?", "؟")) for rest in below)
    alone = not below or bool(_DELIMITER.match(below[0]))
    return bool(_INITIALLED.match(line)) and alone
