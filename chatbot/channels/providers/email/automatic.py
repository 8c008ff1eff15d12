"""What must not be answered: machines' mail, bounces, our own; and how often a machine that hides may be answered."""

import re
from dataclasses import dataclass
from typing import Literal

from chatbot.channels.events import ReceiptStatus
from chatbot.channels.providers.email.mail import Mail
from chatbot.channels.providers.email.threads import OUR_ID

Nature = Literal["person", "auto-reply", "bounce"]

_DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon|double-bounce)(?:[+=-].*)?@.*")
_NOBODY = re.compile(r"(?:no-?_?reply|do-?_?not-?_?reply|bounces?|auto-?reply|notifications?)(?:[+=-].*)?@.*")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MARKS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply", "list-id")
_NOTHING = frozenset({"", "no", "none", "false"})


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery report says about a mail of ours; status None: nothing final yet."""

    message_id: str
    status: ReceiptStatus | None
    words: str


def nature(mail: Mail) -> Nature:
    """Tell mail of people from that of machines, by RFC 3834 and what programs really send."""
    marked = _is_marked(mail)
    kind = mail.raw("content-type").lower()
    if mail.report and "report-type" in kind and "delivery-status" not in kind:
        return "auto-reply"
    if mail.report or _is_from(mail, _DAEMON):
        return "bounce"
    if _null_return_path(mail):
        # A vacation notice has no return path either, but says what it is.
        return "auto-reply" if marked else "bounce"
    if marked or (_is_from(mail, _NOBODY) and not _answers_elsewhere(mail)):
        return "auto-reply"
    return "person"


def bounce_of(mail: Mail) -> Bounce | None:
    """Read which mail of ours a report is about; None when it names none."""
    named = OUR_ID.search("\n".join((mail.report, mail.raw("in-reply-to"), mail.raw("references"), mail.text)))
    if named is None:
        return None
    action = _field(mail.report, "Action").lower()
    status: ReceiptStatus | None = "failed"
    if action in {"delivered", "relayed", "expanded"}:
        status = "delivered"
    elif action == "delayed":
        status = None
    words = _field(mail.report, "Diagnostic-Code") or _field(mail.report, "Status") or mail.text.partition("\n\n")[0]
    return Bounce(named.group(), status, " ".join(words.split())[:300])


def _is_marked(mail: Mail) -> bool:
    """Whether a header says that no person wrote it."""
    return (
        mail.raw("auto-submitted").partition(";")[0].strip().lower() not in _NOTHING
        or mail.raw("precedence").lower() in _BULK
        or any(mail.has(name) and mail.raw(name).lower() not in _NOTHING - {""} for name in _MARKS)
        or mail.raw("x-auto-response-suppress").lower() not in _NOTHING
    )


def _is_from(mail: Mail, pattern: re.Pattern[str]) -> bool:
    return any(pattern.fullmatch(person.address) for person in mail.people("from"))


def _answers_elsewhere(mail: Mail) -> bool:
    """A form on a web site writes as nobody, with the visitor as the one to answer."""
    return any(not _NOBODY.fullmatch(person.address) for person in mail.people("reply-to"))


def _null_return_path(mail: Mail) -> bool:
    return mail.raw("return-path") == "<>"


def _field(report: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*([^\n]*(?:\n[ \t]+[^\n]+)*)", report, re.MULTILINE | re.IGNORECASE)
    return found.group(1).strip() if found else ""
