"""Our messages as Twilio's: text within the alphabet of SMS where it can be, files where the way takes them."""

from collections.abc import Sequence

from chatbot.channels.base import degraded
from chatbot.channels.contract import Account, Call, Capabilities
from chatbot.channels.markup import WHATSAPP, Style, render
from chatbot.channels.outgoing import Outgoing, OutgoingMedia
from chatbot.channels.pieces import pieces
from chatbot.channels.providers.twilio.credentials import TwilioCredentials
from chatbot.channels.providers.twilio.gsm7 import plainer, within

MAX_BODY = 1600
# Carriers drop messages of more than ten parts, so SMS is cut there, below Twilio's own limit: 67 units or 153 septets
# a part. A few signs of GSM-7 (brackets, the euro) take two septets; 30 are left for them.
_UCS2_BODY = 67 * 10
_GSM7_BODY = 153 * 10 - 30
CAPABILITIES = Capabilities(max_length=MAX_BODY, per_second=10.0)
_SMS = Style(bullet="- ")


def calls(account: Account[TwilioCredentials], message: Outgoing) -> list[Call]:
    """One call for each piece; a file rides with the last one."""
    sender = _sender(account.credentials, message)
    common = {"To": message.thread, **sender}
    if account.webhook_url:
        common["StatusCallback"] = account.webhook_url
    taken, linked = _divided(message, sender.get("From", ""))
    text = degraded(_with_media(message, linked), CAPABILITIES)
    bodies: list[dict[str, str]] = [common | {"Body": body} for body in _bodies(text, message.thread)]
    for number, file in enumerate(taken):
        if number == 0 and bodies:
            bodies[-1]["MediaUrl"] = file.url
        else:
            bodies.append(common | {"MediaUrl": file.url})
    return [Call("Messages", body) for body in bodies]


def _with_media(message: Outgoing, media: Sequence[OutgoingMedia]) -> Outgoing:
    return Outgoing(message.thread, message.text, message.buttons, tuple(media), message.sources)


def _bodies(text: str, thread: str) -> list[str]:
    if not text:
        return []
    if thread.startswith("whatsapp:"):
        return pieces(text, MAX_BODY, "utf16", lambda piece: render(piece, WHATSAPP))
    if within(_plain(text)):
        return pieces(text, _GSM7_BODY, "characters", _plain)
    return pieces(text, _UCS2_BODY, "utf16", _plain)


def _plain(markdown: str) -> str:
    return plainer(render(markdown, _SMS))


def _sender(credentials: TwilioCredentials, message: Outgoing) -> dict[str, str]:
    """Answer from the address that the customer wrote to; a messaging service finds it by itself."""
    if credentials.messaging_service_sid:
        return {"MessagingServiceSid": credentials.messaging_service_sid}
    written_to = message.context.get("to")
    if isinstance(written_to, str) and written_to:
        return {"From": written_to}
    way = message.thread.rpartition(":")[0]
    number = credentials.phone_number.rpartition(":")[2]
    return {"From": f"{way}:{number}" if way else number}


def _divided(message: Outgoing, sender: str) -> tuple[list[OutgoingMedia], list[OutgoingMedia]]:
    """The files that the way takes, and those that are told as a link."""
    whatsapp = message.thread.startswith("whatsapp:")
    # MMS is carried within the numbers of +1 only.
    mms = message.thread.startswith("+1") and sender.startswith("+1")
    taken = [file for file in message.media if whatsapp or (mms and file.kind == "image")]
    return taken, [file for file in message.media if file not in taken]
