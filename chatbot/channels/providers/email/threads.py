"""Which conversation a mail belongs to, told from the mail alone.

The key of a thread is chosen when its first mail comes, and from then on it travels: the Message-ID of each of our
answers spells it, so do the plus-addresses that we answer from. A reply that names any of our Message-IDs, or comes to
such an address, therefore finds its conversation whatever its subject or sender has become: nobody can name one who has
not seen it. One without either finds it by correspondent and subject, but only when it is known to be the
correspondent's; else anybody could write under a customer's name. What is not known so begins a thread of its own.
"""

import base64
import hashlib
import hmac
import re
from uuid import UUID

from chatbot.channels.providers.email.mail import Mail

KEY = re.compile(r"[a-z2-7]{26}")
# Short enough that programs which fold headers at 78 columns leave it whole.
OUR_ID = re.compile(rf"xin\.({KEY.pattern})\.[a-z2-7]{{16}}@[A-Za-z0-9.-]{{1,253}}")
_RANDOM_TOKEN = re.compile(r"(?=[^@]*\d)[a-z0-9_.=-]{16,64}")
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")
_PREFIX = re.compile(
    r"^(?:(?:re|r|fw|fwd|aw|wg|sv|vs|vb|tr|rv|res|enc|antw|odp|pd|ynt|ilt|ref|回复|答复|转发|返信|转寄|отв|ответ|пересл|"
    r"رد|ردّ|إعادة توجيه|تحويل|پاسخ|ارسال مجدد|بازارسال)\s?(?:\[\d+\]|\(\d+\))?\s?[:：]\s*)+",
    re.IGNORECASE,
)


def thread_of(mail: Mail, correspondent: str, secret: str, *, authentic: bool, event_id: str) -> str:
    """Return the key of a mail's thread.

    Args:
        secret: keeps strangers from guessing the keys of others.
        authentic: whether the mail is known to be the correspondent's.
        event_id: by which copies of the mail are one.
    """
    found = named_thread(mail, secret)
    if found:
        return found
    if not authentic:
        return _key(secret, "mail", correspondent, event_id)
    subject = plain_subject(mail.header("subject"))
    about = ("subject", correspondent, subject) if subject else ("root", correspondent, _root(mail))
    return _key(secret, *about)


def named_thread(mail: Mail, secret: str) -> str:
    """Return the thread that a mail proves to have seen; empty when it names none."""
    return _named_by_us(mail) or _token(mail, secret)


def our_message_id(thread: str, delivery_id: UUID, domain: str) -> str:
    """Return the Message-ID (without brackets) of an answer: the same for the same delivery."""
    return f"xin.{thread}.{_base32(hashlib.sha256(delivery_id.bytes).digest()[:10])}@{domain}"


def thread_in(message_id: str) -> str:
    """Return the thread that a Message-ID of ours spells; empty when it is not ours."""
    ours = OUR_ID.fullmatch(message_id)
    return ours.group(1) if ours else ""


def reply_address(address: str, thread: str) -> str:
    """Return the plus-address that brings answers back to a thread."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{thread}@{domain}"


def plain_subject(subject: str) -> str:
    """A subject without the prefixes of replies, to compare."""
    return " ".join(_PREFIX.sub("", subject.strip()).casefold().split())


def is_reply_subject(subject: str) -> bool:
    """Whether a subject already says that it is a reply (or was passed on)."""
    return bool(_PREFIX.match(subject.strip()))


def _named_by_us(mail: Mail) -> str:
    named = [*mail.ids("in-reply-to"), *reversed(mail.ids("references"))]
    return next(filter(None, map(thread_in, named)), "")


def _token(mail: Mail, secret: str) -> str:
    """A plus-address: ours spells the thread; another long random one (of a helpdesk before us) is as good as a key.

    A short one is a folder's name (`support+sales`) and shared by all.
    """
    for person in mail.people(*_RECIPIENTS):
        token = person.address.rpartition("@")[0].partition("+")[2]
        if KEY.fullmatch(token):
            return token
        if _RANDOM_TOKEN.fullmatch(token):
            return _key(secret, "token", token)
    return ""


def _root(mail: Mail) -> str:
    """The first mail of the talk, as far as this one knows it."""
    return next(iter([*mail.ids("references"), *mail.ids("in-reply-to"), mail.message_id]), "")


def _key(secret: str, *parts: str) -> str:
    return _base32(hmac.new(secret.encode(), "\n".join(parts).encode(), hashlib.sha256).digest()[:16])


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
