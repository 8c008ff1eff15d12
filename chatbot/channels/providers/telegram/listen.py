"""Long polling: updates are asked for, stored with the cursor, and only then confirmed by asking for the next."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from chatbot.channels.contract import Link, Malformed
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent, Unsupported
from chatbot.channels.providers.telegram.api import BotAccount, Reply, call
from chatbot.channels.providers.telegram.parse import parse_update
from chatbot.channels.providers.telegram.profile import Profile
from chatbot.core.errors import XinError
from chatbot.core.safe_http import OutgoingFailed

_POLL_SECONDS = 25
_ANSWER_SECONDS = 15
_BUTTON_SECONDS = 5
_LEAST_SECONDS = 1.0
"""Between two polls that bring nothing: not every server holds a poll open."""

_CONFLICTS = 3
_CONFLICT_SECONDS = 5.0
_DEFAULT_WAIT = 5.0
_MAX_UPDATES = 100


class Poller:
    """Asks one bot's provider for updates, until cancelled.

    A cursor is `{"bot": its id, "offset": the next update}`: the numbers of another bot would skip updates unseen.
    """

    def __init__(self, account: BotAccount, profile: Profile, link: Link, cursor: Mapping[str, Any]) -> None:
        self._account = account
        self._profile = profile
        self._link = link
        self._bot = account.credentials.bot_id
        offset = cursor.get("offset") if cursor.get("bot") == self._bot else None
        self._offset = offset if isinstance(offset, int) else None
        self._conflicts = 0
        self._heard = False

    async def run(self) -> None:
        """Poll; raises `ProviderRefused` when it makes no sense to go on, `OutgoingFailed` otherwise."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            reply = await call(
                self._account, "getUpdates", self._question(), self._link.http, seconds=_POLL_SECONDS + _ANSWER_SECONDS
            )
            if not reply.ok:
                await self._refused(reply)
                continue
            self._conflicts, self._heard = 0, True
            self._link.alive()
            if not await self._take(reply.result):
                await asyncio.sleep(max(0.0, began + _LEAST_SECONDS - loop.time()))

    def _question(self) -> dict[str, Any]:
        # The first poll is not held open: whether the bot lives is known at once.
        question: dict[str, Any] = {"timeout": _POLL_SECONDS if self._heard else 0, "limit": _MAX_UPDATES}
        if self._profile.updates:
            question["allowed_updates"] = list(self._profile.updates)
        if self._offset is not None:
            question["offset"] = self._offset
        return question

    async def _take(self, updates: object) -> bool:
        """Store what came; return whether anything did."""
        if not isinstance(updates, list):
            raise OutgoingFailed("The provider's answer is no list of updates.")
        if not updates:
            return False
        events: list[InboundEvent] = []
        for update in updates:
            events += self._read(update)
        await self._link.take(events, {"bot": self._bot, "offset": self._offset})
        await self._answer_buttons(events)
        return True

    def _read(self, update: object) -> list[InboundEvent]:
        """Read one update and move on behind it, also if it cannot be read: else it would come for ever."""
        number = update.get("update_id") if isinstance(update, dict) else None
        if not isinstance(update, dict) or not isinstance(number, int):
            raise OutgoingFailed("The provider sent an update without update_id.")
        self._offset = max(self._offset or 0, number + 1)
        try:
            return parse_update(update, self._bot)
        except Malformed:
            return [InboundEvent(str(number), "", Unsupported("unreadable"), raw=update)]

    async def _answer_buttons(self, events: Sequence[InboundEvent]) -> None:
        """Let pressed buttons stop waiting; a late or repeated answer is refused and matters to nobody."""
        for query in {str(event.context["callback_id"]) for event in events if event.context.get("callback_id")}:
            with suppress(XinError):
                await call(
                    self._account, "answerCallbackQuery", {"callback_query_id": query}, self._link.http,
                    seconds=_BUTTON_SECONDS,
                )  # fmt: skip

    async def _refused(self, reply: Reply) -> None:
        name = self._profile.name
        if reply.code in (401, 404):
            raise ProviderRefused(f"{name} does not take the token any more: {reply.words}")
        if reply.code == 429:
            wait = _DEFAULT_WAIT if reply.retry_after is None else reply.retry_after
            self._link.limited(wait)
            await asyncio.sleep(wait)
        elif reply.code == 409:
            await self._conflict(reply)
        else:
            raise OutgoingFailed(f"{name} answered: {reply.words}")

    async def _conflict(self, reply: Reply) -> None:
        """Take away a webhook only if it is ours; wait for another poller a little, as one that just ends is common."""
        hook = await call(self._account, "getWebhookInfo", {}, self._link.http)
        url = str(hook.result.get("url") or "") if isinstance(hook.result, dict) else ""
        if url and url.startswith(self._account.webhook_url or "\0"):
            await call(self._account, "deleteWebhook", {}, self._link.http)
        elif url:
            raise ProviderRefused(
                f"A webhook of another system is set for this bot, so that it cannot be polled: {reply.words} "
                "Remove it there, or register this channel again."
            )
        self._conflicts += 1
        if self._conflicts > _CONFLICTS:
            raise ProviderRefused(
                f"Another program polls with this bot's token: {reply.words} Stop it, or give the bot a new token."
            )
        await asyncio.sleep(_CONFLICT_SECONDS)
