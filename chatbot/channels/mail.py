"""A brand's mail: letters leave by the outbox of its e-mail channel, and what is answered comes back by the inbox."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chatbot.channels import repository
from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.contract import Sent
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.events import InboundEvent, Media, Message
from chatbot.channels.inbox.storable import clean, key, plain, words_of
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.outgoing import Outgoing
from chatbot.core.errors import NotFound, XinError
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.core.safe_http import SafeHttp
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.mail import Answered, EnclosedFile, Letter

log = get_logger(__name__)
_PATIENCE_SECONDS = 15.0

MAIL = "email"
"""The channel type that carries letters."""


class BrandMail:
    """Sends letters from the e-mail channel that a brand connected first (as `identity.mail.Mail`)."""

    def __init__(self, database: Database, accounts: Accounts, outbox: Outbox, http: SafeHttp) -> None:
        self._database = database
        self._accounts = accounts
        self._outbox = outbox
        self._http = http

    async def ready(self, session: TenantReader, brand_id: UUID) -> bool:
        """Whether the brand has an e-mail channel that is switched on, and whose secrets can be opened."""
        return await self._channel(session, brand_id) is not None

    async def post(self, session: TenantSession, brand_id: UUID, letter: Letter) -> bool:
        """Put a letter into the outbox, in the session's transaction; False when the brand has no such channel."""
        channel = await self._channel(session, brand_id)
        if channel is None:
            return False
        await self._outbox.put(session, channel, _outgoing(letter), lane=letter.lane)
        return True

    async def hand_over(self, tenant_id: UUID, brand_id: UUID, letter: Letter) -> bool:
        """Send a letter past the outbox, which would keep it, once; False when it was not taken, for any reason."""
        async with self._database.tenant_reader(tenant_id) as session:
            channel = await self._channel(session, brand_id)
        if channel is None:
            return False
        channel_id = str(channel.channel_id)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for call in channel.provider.render(channel.account, _outgoing(letter)):
                    outcome = await channel.provider.send(channel.account, call, self._http, delivery_id=new_id())
                    if not isinstance(outcome, Sent):
                        log.warning("a letter was not taken", channel_id=channel_id, reason=outcome.words)
                        return False
        except (XinError, TimeoutError) as error:
            log.warning("a letter was not taken", channel_id=channel_id, reason=type(error).__name__)
            return False
        return True

    async def _channel(self, session: TenantReader, brand_id: UUID) -> ConnectedChannel | None:
        """Open the channel that letters leave by; with a broken one, all goes on as without it."""
        channel_id = await repository.first_channel(session, brand_id, MAIL)
        if channel_id is None:
            return None
        try:
            return await self._accounts.get_in(session, channel_id)
        except (ChannelBroken, NotFound):
            return None


def _outgoing(letter: Letter) -> Outgoing:
    context = {**letter.answers, "to": letter.to, "name": letter.name, "letter": letter.subject}
    return Outgoing(letter.thread, letter.text, context=context, language=letter.language, by_person=letter.by_person)


def answered(event: InboundEvent, message: Message, blobs: Sequence[tuple[Media, str]]) -> Answered:
    """Return a message of an e-mail channel as what was written under a thread of ours.

    Args:
        blobs: the files that came along, each with its key; of one that was too large, none.
    """
    sender = event.sender
    left_out = "".join(f"\n\n[{clean(media.name or media.kind)}: too large to keep]" for media, key in blobs if not key)
    return Answered(
        thread=key(event.thread),
        text=(words_of(message) + left_out).strip(),
        name=clean(sender.name) if sender else "",
        address=clean(sender.address) if sender else "",
        files=tuple(_file(media, key) for media, key in blobs if key),
        context={name: plain(event.context.get(name)) for name in ("message_id", "references")},
    )


def _file(media: Media, blob_key: str) -> EnclosedFile:
    mime = media.mime or "application/octet-stream"
    return EnclosedFile(clean(media.name or media.kind), clean(mime), media.size or 0, blob_key)
