"""A mail made into an event."""

import hashlib
from typing import Any

from chatbot.channels.contract import Account
from chatbot.channels.events import Content, Echo, InboundEvent, Media, MediaKind, Message, Receipt, Sender, Unsupported
from chatbot.channels.providers.email.authentic import is_authentic
from chatbot.channels.providers.email.automatic import bounce_of, nature
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mail import File, Mail, Person
from chatbot.channels.providers.email.replies import new_text
from chatbot.channels.providers.email.threads import OUR_ID, thread_in, thread_of

_MAX_ID = 190
_MAX_REFERENCES = 20
_RAW_CHARS = 10_000
_WHERE_TO = ("to", "name")


def event_of(account: Account[EmailCredentials], mail: Mail) -> InboundEvent:
    """Return the one event that a mail is; its id is the Message-ID, by which a second copy is dropped."""
    bounced = _receipt(mail)
    if bounced is not None:
        return bounced
    sender = _sender(account.credentials, mail)
    kind = nature(mail)
    content: Content
    if _is_ours(account.credentials, mail, sender):
        content = Echo(_message(mail), mail.message_id or None)
    elif kind == "person":
        content = _message(mail)
    else:
        content = Unsupported(kind)
    event_id = _id(mail)
    authentic = is_authentic(mail, sender.address, account.credentials.authserv_id)
    return InboundEvent(
        id=event_id,
        thread=thread_of(mail, sender.address, account.secret, authentic=authentic, event_id=event_id),
        content=content,
        sender=Sender(sender.address, sender.name, sender.address) if sender.address else None,
        message_id=mail.message_id or None,
        at=mail.at,
        context=_context(account.credentials, mail, sender) if isinstance(content, Message) else {},
        raw=_raw(mail) if isinstance(content, Unsupported) else {},
        keeps=() if authentic or _answered_at(account.credentials, mail, sender).address == _from(mail) else _WHERE_TO,
    )


def _receipt(mail: Mail) -> InboundEvent | None:
    """A bounce that names a mail of ours, with something final to say."""
    bounce = bounce_of(mail) if nature(mail) == "bounce" else None
    if bounce is None or bounce.status is None:
        return None
    content = Receipt(bounce.status, (bounce.message_id,), reason=bounce.words)
    return InboundEvent(_id(mail), thread_in(bounce.message_id), content, at=mail.at)


def _sender(credentials: EmailCredentials, mail: Mail) -> Person:
    """Who wrote: From, but the visitor whom a form on a web site names to be answered where the site wrote it."""
    people = mail.people("from") or mail.people("sender", "return-path")
    sender = people[0] if people else Person("", "")
    others = [person for person in mail.people("reply-to") if not _is_own(credentials, person.address)]
    by_site = _is_own(credentials, sender.address) or sender.address.startswith(("noreply@", "no-reply@"))
    return others[0] if by_site and others else sender


def _is_own(credentials: EmailCredentials, address: str) -> bool:
    """Our address, also with a plus-token."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" == credentials.address or address == credentials.address


def _is_ours(credentials: EmailCredentials, mail: Mail, sender: Person) -> bool:
    return _is_own(credentials, sender.address) or bool(OUR_ID.fullmatch(mail.message_id))


def _message(mail: Mail) -> Message:
    left_out = "".join(f"\n\n[{name}: too large to keep]" for name in mail.left_out)
    answered = mail.ids("in-reply-to")
    return Message(
        text=(new_text(mail.text) + left_out).strip(),
        media=tuple(_media(file) for file in mail.files),
        in_reply_to=answered[0] if answered else None,
        subject=mail.header("subject")[:1_000],
    )


def _media(file: File) -> Media:
    kinds: dict[str, MediaKind] = {"image": "image", "audio": "audio", "video": "video"}
    kind = kinds.get(file.mime.partition("/")[0], "document")
    return Media(kind, mime=file.mime, name=file.name or None, size=len(file.content), content=file.content)


def _context(credentials: EmailCredentials, mail: Mail, sender: Person) -> dict[str, Any]:
    """What an answer needs: whom to answer, and the headers that keep it in the customer's thread."""
    answer = _answered_at(credentials, mail, sender)
    references = [*mail.ids("references"), *mail.ids("in-reply-to")]
    return {
        "to": answer.address,
        "name": answer.name[:200],
        "subject": mail.header("subject")[:500],
        "message_id": mail.message_id,
        "references": list(dict.fromkeys(references))[-_MAX_REFERENCES:],
    }


def _answered_at(credentials: EmailCredentials, mail: Mail, sender: Person) -> Person:
    """Whom the writer wants to be answered at."""
    return next((each for each in mail.people("reply-to") if not _is_own(credentials, each.address)), sender)


def _from(mail: Mail) -> str:
    return next((person.address for person in mail.people("from")), "")


def _id(mail: Mail) -> str:
    """The Message-ID; without one a hash of what every copy of the mail has in common."""
    if mail.message_id:
        short = len(mail.message_id) <= _MAX_ID
        return mail.message_id if short else f"sha256:{hashlib.sha256(mail.message_id.encode()).hexdigest()}"
    parts = (mail.raw("date"), mail.raw("from"), mail.raw("to"), mail.raw("subject"), mail.text)
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace"))
    for file in mail.files:
        digest.update(file.content)
    return f"sha256:{digest.hexdigest()}"


def _raw(mail: Mail) -> dict[str, Any]:
    return {"headers": [list(pair) for pair in mail.headers], "text": mail.text[:_RAW_CHARS]}
