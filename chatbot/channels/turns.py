"""Answers to messages of providers: a turn for all that waits, shown while it is made where a channel can."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.contract import Streamer, Typing
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.inbox.repository import conversations_with, last_thread_of, thread_of
from chatbot.channels.loops import may_answer
from chatbot.channels.messages import Messages, sends
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.outgoing import Draft as ShownDraft
from chatbot.channels.outgoing import Outgoing, Source
from chatbot.core.background import end
from chatbot.core.errors import NotFound, XinError
from chatbot.core.logging import get_logger
from chatbot.core.safe_http import SafeHttp
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue import waiting_repository
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.handoff.parts import Spoken, Wish
from chatbot.dialogue.live import LiveReply, Place
from chatbot.dialogue.parts import Draft, Turn
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.waiting_repository import Pulse

log = get_logger(__name__)

QUIET_SECONDS = 0.4
"""A visitor who wrote a moment ago may write on: so long is waited for the rest of a burst."""

MAX_QUIET_SECONDS = 3.0
_SHOW_SECONDS = 5.0
_TYPING_SECONDS = 4.5


class TurnFailed(RuntimeError):
    """A turn ended with an error; the job is tried again."""


@dataclass(slots=True)
class _Presentation:
    """A reply that is shown while it is made; `busy` is held during a call to the provider."""

    handle: str | None = None
    shown: str = ""
    closed: bool = False
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[bool]:
        """Give whether a call may be made; none begins once the presentation is closed."""
        async with self.busy:
            yield not self.closed


class Turns:
    """Runs the turns of providers' conversations in one process."""

    def __init__(self, database: Database, accounts: Accounts, outbox: Outbox, http: SafeHttp) -> None:
        self._database = database
        self._accounts = accounts
        self._outbox = outbox
        self._http = http
        self._messages = Messages(accounts, outbox)
        self._presentations: dict[UUID, _Presentation] = {}

    async def answer(self, dialogue: Dialogue, tenant_id: UUID, conversation_id: UUID) -> None:
        """Answer what waits in a conversation, once it has been quiet for a moment; one caller a conversation.

        Raises:
            TurnFailed: the reply could not be made; nothing was stored.
            ChannelBroken: it could not be sent.
        """
        pulse = await self._until_quiet(tenant_id, conversation_id)
        if pulse is None:
            return
        try:
            channel = await self._accounts.get(pulse.channel_id)
        except NotFound:  # the channel was removed meanwhile: nobody can be answered
            return
        if not await self._may_answer(channel, conversation_id, pulse):
            await self._leave_to_people(tenant_id, conversation_id)
            return
        begun = await dialogue.answer_waiting(tenant_id, conversation_id)
        if begun is None:
            return
        turn, live = begun
        async with self._presented(channel, turn, live):
            last = await live.wait()
        if last.name == "error":
            raise TurnFailed(str(last.data.get("code", "error")))

    async def give_up(self, dialogue: Dialogue, tenant_id: UUID, conversation_id: UUID) -> None:
        """Tell the visitor that no reply can be made; where they cannot be told, a person is to look."""
        async with self._database.tenant_reader(tenant_id) as session:
            pulse = await waiting_repository.pulse(session, conversation_id)
        try:
            if pulse:
                await self._accounts.get(pulse.channel_id)
        except ChannelBroken:
            await self._leave_to_people(tenant_id, conversation_id)
            return
        except NotFound:  # removed meanwhile: it is said to readers of the rows only
            pass
        await dialogue.apologize(tenant_id, conversation_id)

    async def make_ready(self, turn: Turn) -> None:
        """Let a call to the provider that shows the reply end; no other begins (as `Courier.make_ready`)."""
        presentation = self._presentations.get(turn.reply_id)
        if presentation:
            await _close(presentation)

    async def put_reply(self, session: TenantSession, turn: Turn, draft: Draft) -> None:
        """Put a finished reply into the outbox, in the transaction that stores it (as `Courier.put_reply`)."""
        try:
            channel = await self._accounts.get_in(session, turn.channel_id)
        except NotFound:  # removed meanwhile: the reply is for readers of the rows only
            return
        except ChannelBroken:  # as what is read from the rows it is good all the same
            log.warning("a reply of a channel whose secrets cannot be opened is not sent", reply=str(turn.reply_id))
            return
        if not sends(channel) or not draft.text:
            return
        found = await thread_of(session, turn.question_id)
        if found is None:  # asked over a socket or by a request, which carries the answer itself
            return
        presentation = self._presentations.get(turn.reply_id)
        message = Outgoing(
            thread=found[0],
            text=draft.text,
            sources=tuple(Source(one["index"], one["title"], one["url"]) for one in draft.citations),
            context=found[1],
            replaces=presentation.handle if presentation else None,
            language=turn.language,
            message_id=str(turn.reply_id),
        )
        await self._outbox.put(
            session, channel, message, conversation_id=turn.conversation_id, message_id=turn.reply_id
        )

    async def put_message(self, session: TenantSession, message: Spoken) -> None:
        """As `Messenger.put_message`."""
        await self._messages.put_message(session, message)

    async def _until_quiet(self, tenant_id: UUID, conversation_id: UUID) -> Pulse | None:
        waited = 0.0
        while True:
            async with self._database.tenant_reader(tenant_id) as session:
                pulse = await waiting_repository.pulse(session, conversation_id)
            if pulse is None or pulse.last is None:
                return None
            rest = QUIET_SECONDS - (pulse.now - pulse.last).total_seconds()
            if rest <= 0 or waited >= MAX_QUIET_SECONDS:
                return pulse
            await asyncio.sleep(rest)
            waited += rest

    async def _may_answer(self, channel: ConnectedChannel, conversation_id: UUID, pulse: Pulse) -> bool:
        """Whether one more automatic answer is safe.

        Counted are those to the same address, in whichever conversation: a machine may begin one with each mail.
        """
        limits = channel.provider.capabilities.answers_at_most
        if not limits:
            return True
        since = pulse.now - max(span for span, _ in limits)
        async with self._database.tenant_reader(channel.tenant_id) as session:
            found = await last_thread_of(session, conversation_id)
            address = str(found[1].get("to") or "") if found else ""
            others = await conversations_with(session, pulse.channel_id, address, since) if address else ()
            answered = await waiting_repository.answers_since(session, {conversation_id, *others}, since)
        return may_answer(limits, answered, pulse.now)

    async def _leave_to_people(self, tenant_id: UUID, conversation_id: UUID) -> None:
        """Put a conversation into the queue and tell the visitor nothing: that would feed a loop of machines."""
        log.warning("a conversation is left to people", conversation=str(conversation_id))
        async with self._database.tenant(tenant_id) as session:
            conversation = await floor.held(session, conversation_id)
            if conversation.state == "bot":
                await floor.request(session, conversation, Wish("no_answer", None), None)

    @asynccontextmanager
    async def _presented(self, channel: ConnectedChannel, turn: Turn, live: LiveReply) -> AsyncIterator[None]:
        """Show the reply, or that somebody writes, while the block waits for it; failures are only logged."""
        found = await self._thread(turn, live)
        if found is None:
            yield
            return
        thread, context = found
        provider, presentation = channel.provider, _Presentation()
        tasks: list[asyncio.Task[None]] = []
        if isinstance(provider, Typing):
            tasks.append(asyncio.create_task(self._type(channel, provider, presentation, thread, context)))
        if isinstance(provider, Streamer) and provider.capabilities.stream != "none":
            self._presentations[turn.reply_id] = presentation
            tasks.append(asyncio.create_task(self._show(channel, provider, live, presentation, thread, context)))
        try:
            yield
        finally:
            self._presentations.pop(turn.reply_id, None)
            await end(*tasks)

    async def _thread(self, turn: Turn, live: LiveReply) -> tuple[str, Mapping[str, Any]] | None:
        """Where to show a reply that is being made by now: its job waits for it, whatever goes wrong here.

        Were the job to fail, the next one would take the living reply for a dead one's: two would be paid for.
        """
        try:
            async with self._database.tenant_reader(turn.tenant_id) as session:
                return await thread_of(session, turn.question_id)
        except Exception as error:  # noqa: BLE001 - a preview is not worth a reply
            log.warning("a reply cannot be shown while it is made", reason=str(error)[:200])
            return None
        except BaseException:
            live.interrupt()
            raise

    async def _show(
        self,
        channel: ConnectedChannel,
        provider: Streamer,
        live: LiveReply,
        presentation: _Presentation,
        thread: str,
        context: Mapping[str, Any],
    ) -> None:
        """Show what there is, again and again; one failure ends it, for the whole reply comes anyway."""
        async for _ in live.events(Place()):
            if not live.text or live.text == presentation.shown or presentation.closed:
                continue
            async with presentation.call() as wanted:
                if not wanted:
                    return
                text = live.text
                draft = ShownDraft(thread, text, presentation.shown, presentation.handle, context)
                if not await _quietly(_keeping(presentation, provider.show(channel.account, draft, self._http))):
                    return
                presentation.shown = text
            await asyncio.sleep(channel.provider.capabilities.draft_seconds)

    async def _type(
        self,
        channel: ConnectedChannel,
        provider: Typing,
        presentation: _Presentation,
        thread: str,
        context: Mapping[str, Any],
    ) -> None:
        """Show that somebody writes until there is something to show: a model takes seconds to its first word."""
        going = True
        while going and not presentation.shown:
            going = await _quietly(provider.typing(channel.account, thread, context, self._http))
            await asyncio.sleep(_TYPING_SECONDS)


async def _keeping(presentation: _Presentation, shown: Awaitable[str | None]) -> None:
    presentation.handle = await shown


async def _quietly(work: Awaitable[None]) -> bool:
    """Do what may fail, for a preview or a typing notice is not worth a reply; return whether it went well."""
    try:
        async with asyncio.timeout(_SHOW_SECONDS):
            await work
        return True
    except (XinError, TimeoutError) as error:
        log.info("a reply cannot be shown while it is made", reason=str(error)[:200])
    except Exception:
        log.exception("adapter failed while showing a reply")
    return False


async def _close(presentation: _Presentation) -> None:
    """Let a call under way end, and make no more."""
    presentation.closed = True
    with suppress(TimeoutError):
        async with asyncio.timeout(_SHOW_SECONDS), presentation.busy:
            pass
