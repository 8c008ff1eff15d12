"""An answer made into mails: JSON for the outbox, MIME when it is sent."""

import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import Any
from uuid import UUID

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from chatbot.channels.base import degraded
from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.markup import PLAIN, render
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.pieces import pieces
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mail import one_line
from chatbot.channels.providers.email.threads import KEY, is_reply_subject, our_message_id, reply_address
from chatbot.core.clock import utcnow

SEND = "sendmail"
_ROOT = UUID(int=0)
_BLOCKS = frozenset({"paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open",
                     "table_open"})  # fmt: skip
_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,500}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


class NotAMail(Exception):
    """A mail that cannot be written, with the reason."""


def calls(credentials: EmailCredentials, capabilities: Capabilities, message: Outgoing) -> list[Call]:
    """Return one call for each mail: as a rule one, more where the text is longer than a book."""
    markdown = degraded(message, capabilities)
    context = message.context
    body: dict[str, Any] = {
        "to": str(context.get("to") or ""),
        "name": str(context.get("name") or ""),
        "subject": _subject(credentials, context),
        "thread": message.thread,
        "in_reply_to": str(context.get("message_id") or ""),
        "references": _references(credentials, message),
        "automatic": not message.by_person,
    }
    return [
        Call(SEND, {**body, "text": render(piece, PLAIN), "html": html(piece, message.language)})
        for piece in pieces(markdown, capabilities.max_length, capabilities.unit)
    ]


def _subject(credentials: EmailCredentials, context: Mapping[str, Any]) -> str:
    """A letter has a subject of its own; everything else answers the customer's."""
    if "letter" in context:
        return one_line(str(context["letter"]))
    return reply_subject(str(context.get("subject") or ""), credentials.display_name or credentials.address)


def _references(credentials: EmailCredentials, message: Outgoing) -> list[str]:
    """The mails before this one. Letters all name one that was never sent, so that mail programs show them together."""
    given = [str(item) for item in message.context.get("references") or ()]
    root = our_message_id(message.thread, _ROOT, credentials.domain)
    return [root, *given] if "letter" in message.context else given


def reply_subject(subject: str, fallback: str) -> str:
    """`Re: ` and the customer's subject, which never gathers a second prefix."""
    subject = one_line(subject)
    return subject if is_reply_subject(subject) else f"Re: {subject or fallback}"


def html(markdown: str, language: str | None) -> str:
    """Markdown as the HTML form of a mail: no HTML from the text, no pictures; each block finds its own direction."""
    lang = f' lang="{language}"' if language and _LANGUAGE.fullmatch(language) else ""
    return f'<!DOCTYPE html>\n<html{lang}><head><meta charset="utf-8"></head><body>\n{_writer().render(markdown)}</body></html>\n'  # noqa: E501


def mime(credentials: EmailCredentials, call: Call, delivery_id: UUID) -> tuple[str, str, bytes]:
    """Return the Message-ID (without brackets), the recipient and the mail; the same delivery has the same id.

    Raises:
        NotAMail: there is nobody to write to, or the thread is none of e-mail's.
    """
    body = call.body
    thread = str(body.get("thread") or "")
    if not KEY.fullmatch(thread):
        raise NotAMail("The thread is not one that a mail began.")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(credentials.display_name, credentials.address)
    recipient = _address(str(body.get("name") or ""), str(body.get("to") or ""))
    mail["To"] = recipient
    mail["Subject"] = one_line(str(body.get("subject") or ""))
    mail["Date"] = format_datetime(utcnow())
    if credentials.plus_addressing:
        mail["Reply-To"] = _address(credentials.display_name, reply_address(credentials.address, thread))
    if body.get("automatic"):
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(str(body.get("text") or ""))
    mail.add_alternative(str(body.get("html") or ""), subtype="html")
    message_id = our_message_id(thread, delivery_id, credentials.domain)
    return message_id, recipient.addr_spec, _identity(message_id, body) + mail.as_bytes()


def _address(name: str, address: str) -> Address:
    try:
        return Address(one_line(name), addr_spec=address)
    except (ValueError, IndexError) as error:
        raise NotAMail("There is no address to write to.") from error


def _identity(message_id: str, body: Any) -> bytes:
    """The headers that make a thread, one id a line: the library would break long ids into pieces."""
    answered = str(body.get("in_reply_to") or "")
    references = [item for item in [*body.get("references", ()), answered] if _ID.fullmatch(str(item))]
    lines = [f"Message-ID: <{message_id}>"]
    if _ID.fullmatch(answered):
        lines.append(f"In-Reply-To: <{answered}>")
    if references:
        lines.append("References: " + "\r\n ".join(f"<{item}>" for item in dict.fromkeys(references)))
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


@cache
def _writer() -> MarkdownIt:
    writer = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["strikethrough", "table"])
    writer.core.ruler.push("direction", lambda state: _give_direction(state.tokens))
    writer.add_render_rule("image", _no_picture)
    return writer


def _give_direction(tokens: list[Token]) -> None:
    for token in tokens:
        if token.type in _BLOCKS:
            token.attrSet("dir", "auto")


def _no_picture(renderer: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """Its words only: a picture fetched from elsewhere tells that place who reads."""
    return renderer.renderInlineAsText(tokens[index].children, options, env)
