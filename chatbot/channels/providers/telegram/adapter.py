"""The adapter of Telegram, and of Bale in its dialect."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID

import orjson

from chatbot.channels.base import Adapter
from chatbot.channels.contract import (
    Answer,
    Call,
    Capabilities,
    Finding,
    Link,
    Outcome,
    Permanent,
    Refused,
    Request,
    RetryAfter,
    Sent,
)
from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Draft, Outgoing
from chatbot.channels.providers.telegram.amend import amended, unchanged
from chatbot.channels.providers.telegram.api import BotAccount, Reply, call, fetch_file, required
from chatbot.channels.providers.telegram.check import findings
from chatbot.channels.providers.telegram.credentials import BaleCredentials, TelegramCredentials
from chatbot.channels.providers.telegram.listen import Poller
from chatbot.channels.providers.telegram.parse import parse_update, read_body
from chatbot.channels.providers.telegram.profile import BALE_PROFILE, TELEGRAM_PROFILE, Profile
from chatbot.channels.providers.telegram.render import draft_message, render_draft, render_message
from chatbot.channels.providers.telegram.threads import Thread
from chatbot.channels.signing import header, require_same
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp

_ATTEMPTS = 3
_EDIT_SECONDS = 3.1
"""Between two edits of one message: a group takes twenty messages a minute."""


class Telegram(Adapter[TelegramCredentials]):
    """Bots of Telegram, by webhook or by polling."""

    channel_type: ClassVar[str] = "telegram"
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_length=4096, unit="utf16", buttons=TELEGRAM_PROFILE.buttons, edit=True, typing=True, stream="draft",
        draft_seconds=1.1, per_second=30, thread_per_second=1, listens=True,
    )  # fmt: skip
    credentials = TelegramCredentials
    profile: ClassVar[Profile] = TELEGRAM_PROFILE

    def listens(self, account: BotAccount) -> bool:
        """As the operator chose."""
        return account.credentials.mode == "polling"

    def verify(self, account: BotAccount, request: Request, now: float) -> None:  # noqa: ARG002 - no time is signed
        """Compare our secret, out of its header or, where the provider has none, out of the path."""
        name = self.profile.secret_header
        given = header(request, name) if name else request.token
        if not given:
            raise Refused("missing")
        require_same(given, account.secret)

    def parse(self, account: BotAccount, request: Request) -> list[InboundEvent]:
        """Read the one update of a request."""
        return parse_update(read_body(request.body), account.credentials.bot_id)

    def acknowledge(self, account: BotAccount, events: Sequence[InboundEvent]) -> Answer:  # noqa: ARG002
        """Let a pressed button stop waiting, which the answer to the webhook can do at once and without a call.

        The provider executes what the answer names; so the method is fixed and nothing of the request but the
        id of the button's query is in it.
        """
        query = next((event.context["callback_id"] for event in events if event.context.get("callback_id")), None)
        if query is None or not self.profile.executes_answers:
            return Answer()
        body = {"method": "answerCallbackQuery", "callback_query_id": query}
        return Answer(orjson.dumps(body), "application/json")

    def render(self, account: BotAccount, message: Outgoing) -> list[Call]:  # noqa: ARG002
        """Write marks as the profile says; the last piece has the buttons."""
        return render_message(message, self.capabilities, self.profile)

    async def send(self, account: BotAccount, call: Call, http: SafeHttp, *, delivery_id: UUID) -> Outcome:  # noqa: ARG002 - the Bot API knows no idempotency
        """Make the call, or the next best one after a refusal that leaves one."""
        reply = await _attempt(account, call, http)
        for _ in range(_ATTEMPTS - 1):
            instead = None if reply.ok else amended(call, reply)
            if instead is None:
                break
            call = instead
            reply = await _attempt(account, call, http)
        return _outcome(call, reply)

    async def download(self, account: BotAccount, media: Media, http: SafeHttp, *, max_bytes: int) -> bytes:
        """Ask for the file's path, then for the file."""
        if media.size is not None and media.size > max_bytes:
            raise ResponseTooLarge(f"The file has {media.size:,} bytes; at most {max_bytes:,} are taken.")
        return await fetch_file(account, media.ref, http, max_bytes)

    async def register(self, account: BotAccount, http: SafeHttp) -> None:
        """Set the webhook with our secret, or take any webhook away where updates are polled."""
        if account.credentials.mode == "polling":
            await self.unregister(account, http)
            return
        parameters: dict[str, Any] = {"url": self.webhook(account)}
        if self.profile.secret_header:
            parameters |= {"secret_token": account.secret, "allowed_updates": list(self.profile.updates)}
        await required(account, "setWebhook", parameters, http, what="The webhook was not set")

    async def unregister(self, account: BotAccount, http: SafeHttp) -> None:
        """Delete the webhook; what waits stays."""
        await required(account, "deleteWebhook", {}, http, what="The webhook was not deleted")

    async def check(self, account: BotAccount, http: SafeHttp) -> list[Finding]:
        """Look at the token, the webhook, what waits and the last error."""
        wanted = "" if account.credentials.mode == "polling" else self.webhook(account)
        return await findings(account, wanted, self.profile, http)

    def webhook(self, account: BotAccount) -> str:
        """The address that the provider is told; with our secret at its end where no header carries it."""
        if self.profile.secret_header:
            return account.webhook_url
        return f"{account.webhook_url}/{quote(account.secret, safe='')}"

    async def typing(self, account: BotAccount, thread: str, context: Mapping[str, Any], http: SafeHttp) -> None:
        """Show it for five seconds; a pressed button stops waiting now where the webhook's answer cannot do it."""
        query = context.get("callback_id")
        if query and not self.profile.executes_answers:
            await call(account, "answerCallbackQuery", {"callback_query_id": query}, http)
        await call(account, "sendChatAction", {**_where(thread), "action": "typing"}, http)

    async def show(self, account: BotAccount, draft: Draft, http: SafeHttp) -> str | None:
        """Show a preview in a private chat; elsewhere write a message and edit it, at most every 3.1 seconds."""
        text = render_draft(draft, self.capabilities, self.profile)
        thread = Thread.of(draft.thread)
        if not text:
            return draft.handle
        if self.profile.drafts and thread.private and draft.handle is None:
            number = draft.context.get("message_id") or draft.context.get("callback_id") or 1
            await _shown(account, "sendMessageDraft", {**thread.target, **text, "draft_id": _draft_id(number)}, http)
            return None
        return await _edited(account, draft, text, http)

    async def listen(self, account: BotAccount, cursor: Mapping[str, Any], link: Link) -> None:
        """Poll from the cursor on."""
        await Poller(account, self.profile, link, cursor).run()


class Bale(Telegram):
    """Bots of Bale."""

    channel_type: ClassVar[str] = "bale"
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_length=4096, unit="utf16", buttons=BALE_PROFILE.buttons, edit=True, typing=True, stream="edit",
        draft_seconds=_EDIT_SECONDS, per_second=20, thread_per_second=1, listens=True,
    )  # fmt: skip
    credentials = BaleCredentials
    profile: ClassVar[Profile] = BALE_PROFILE


def _where(thread: str) -> dict[str, Any]:
    """The chat for an action: a topic of a channel's direct messages has none of its own."""
    target = Thread.of(thread).target
    target.pop("direct_messages_topic_id", None)
    return target


async def _attempt(account: BotAccount, made: Call, http: SafeHttp) -> Reply:
    return await call(account, made.action, made.body, http)


def _outcome(made: Call, reply: Reply) -> Outcome:
    if reply.ok:
        number = reply.result.get("message_id") if isinstance(reply.result, dict) else made.body.get("message_id")
        return Sent(str(number) if number is not None else None)
    if made.action == "editMessageText" and unchanged(reply):
        return Sent(str(made.body["message_id"]))
    if reply.code == 429:
        return RetryAfter(reply.words, reply.retry_after, rate_limited=True)
    if 400 <= reply.code < 500 and reply.code not in (408, 409, 425):
        return Permanent(reply.words)
    return RetryAfter(reply.words, reply.retry_after)


async def _shown(account: BotAccount, method: str, parameters: Mapping[str, Any], http: SafeHttp) -> Reply:
    reply = await call(account, method, parameters, http)
    if not reply.ok and not unchanged(reply):
        raise OutgoingFailed(f"The draft was not shown: {reply.words}")
    return reply


async def _edited(account: BotAccount, draft: Draft, text: Mapping[str, Any], http: SafeHttp) -> str:
    """Write the first text, edit it later; the handle is the message's id and when it was last changed."""
    number, now = draft_message(draft.handle), time.time()
    if number is None or draft.handle is None:
        target = Thread.of(draft.thread).target
        reply = await _shown(account, "sendMessage", {**target, **text}, http)
        made = reply.result.get("message_id") if isinstance(reply.result, dict) else None
        if not isinstance(made, int):
            raise OutgoingFailed("The draft was not shown: the provider named no message.")
        return f"{made}@{now:.3f}"
    if now - float(draft.handle.partition("@")[2] or 0) < _EDIT_SECONDS:
        return draft.handle
    thread = Thread.of(draft.thread)
    business = {"business_connection_id": thread.business} if thread.business else {}
    place = {"chat_id": thread.chat, "message_id": number, **business}
    await _shown(account, "editMessageText", {**place, **text}, http)
    return f"{number}@{now:.3f}"


def _draft_id(number: object) -> int:
    """A draft's id, never zero and the same for the whole reply: the message's that is answered."""
    text = str(number)
    return int(text[-9:]) or 1 if text.isascii() and text.isdecimal() else 1
