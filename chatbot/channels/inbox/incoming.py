"""A provider's message as the dialogue takes it, whether it is answered at once or by a job."""

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.events import InboundEvent, Message
from chatbot.channels.inbox.storable import clean, key, rest_of, words_of
from chatbot.dialogue.incoming import Incoming

_MAX_LOCALE = 35


def incoming_of(channel: ConnectedChannel, event: InboundEvent, message: Message) -> Incoming:
    """Return the message of an event; what its words do not say goes along as its content."""
    sender, thread = event.sender, key(event.thread)
    visitor = {"id": sender.id, "name": sender.name, "address": sender.address} if sender else {}
    return Incoming(
        tenant_id=channel.tenant_id,
        brand_id=channel.brand_id,
        channel_id=channel.channel_id,
        text=words_of(message),
        owner=f"channel:{channel.channel_id}",
        session_key=thread,
        session_id=thread if channel.channel_type == "web" else None,
        visitor={name: clean(value) for name, value in visitor.items() if value},
        locale=sender.locale[:_MAX_LOCALE] if sender and sender.locale else None,
        provider_event_id=key(event.id),
        provider_message_id=event.message_id and key(event.message_id),
        content=rest_of(message),
    )
